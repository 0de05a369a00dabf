/** One AI job: what was asked, how far it is, and what can be done about it. */
import type { Job } from "../messages";
import { useRoom, useSession } from "../store/context";
import { canRetry, changeTitle, duration, isRunning, moment, stage } from "./words";

function facts(job: Job): string {
  if (job.kind !== "job") return job.asked_by ? `By ${job.asked_by}` : "";
  const parts = [job.asked_by ? `Asked by ${job.asked_by}` : null, job.offline ? "offline templates, no AI" : job.model];
  if (job.tokens > 0) parts.push(`${job.tokens.toLocaleString("en")} tokens`);
  if (isRunning(job) && job.eta_seconds !== null) parts.push(`about ${duration(job.eta_seconds)} left`);
  return parts.filter(Boolean).join(" · ");
}

function result(job: Job): string | null {
  const parts: string[] = [];
  if (job.hunks_applied > 0) parts.push(`${job.hunks_applied} ${job.hunks_applied === 1 ? "change" : "changes"} made`);
  if (job.hunks_pending > 0) parts.push(`${job.hunks_pending} waiting for an answer`);
  return parts.length ? parts.join(", ") : null;
}

function Files({ job }: { job: Job }) {
  const session = useSession();
  const files = useRoom((state) => state.files);
  if (job.files.length === 0) return null;
  return (
    <ul className="chips" aria-label="Files of this job">
      {job.files.map((path) => {
        const file = files.find((one) => one.shown === path);
        return (
          <li key={path}>
            {file ? (
              <button type="button" className="chip mono" onClick={() => session.open(file.id)}>
                {path}
              </button>
            ) : (
              <span className="chip mono">{path}</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Actions({ job }: { job: Job }) {
  const session = useSession();
  const button = (action: "cancel" | "retry" | "undo" | "redo", text: string) => (
    <button type="button" className="button small" data-testid={`job-${action}`} onClick={() => void session.act(job.job, action)}>
      {text}
    </button>
  );
  const running = isRunning(job);
  const ai = job.kind === "job";
  return (
    <div className="row wrap">
      {running && button("cancel", "Cancel")}
      {ai && canRetry(job) && button("retry", "Retry")}
      {job.undone ? button("redo", "Redo") : job.can_undo && button("undo", "Undo")}
      <button type="button" className="button small" data-testid="job-review" onClick={() => session.review(job.job)}>
        {job.hunks_pending > 0 ? `Review ${job.hunks_pending}` : "Review"}
      </button>
    </div>
  );
}

export function JobCard({ job }: { job: Job }) {
  const detail = useRoom((state) => state.ai.details[job.job]);
  const stream = useRoom((state) => state.ai.streams[job.job]);
  const running = isRunning(job);
  const percent = Math.round(job.progress * 100);
  const summary = result(job);
  return (
    <article className="card job" data-testid="job" data-job={job.job} data-state={job.state} data-kind={job.kind} aria-label={`${changeTitle(job)}: ${job.prompt}`}>
      <header className="card-head">
        <span className="dot" style={{ background: job.color }} />
        {job.kind !== "job" && <span className="small">{changeTitle(job)}</span>}
        <span className={`badge ${job.state}`}>{stage(job)}</span>
        <span className="grow" />
        <time className="muted small" dateTime={new Date(job.created_ms).toISOString()}>
          {moment(job.created_ms)}
        </time>
      </header>
      <p className="prompt-text">{job.prompt}</p>
      {running && (
        <>
          <progress max={100} value={percent} aria-label="Progress">
            {percent} %
          </progress>
          <p className="small" aria-live="polite">
            {detail || stage(job)}
            <span className="muted"> · {percent} %</span>
          </p>
        </>
      )}
      <p className="muted small">{facts(job)}</p>
      {stream && running && (
        <div className="stream">
          <span className="muted small mono">{stream.path}</span>
          <pre data-testid="job-stream">{stream.text.split("\n").slice(-8).join("\n")}</pre>
        </div>
      )}
      {job.state === "interrupted" && (
        <p className="small">The server stopped while this job ran. What it had written stays; Retry asks again.</p>
      )}
      {job.error && <p className="small error">{job.error}</p>}
      {summary && <p className="small">{summary}</p>}
      <Files job={job} />
      <Actions job={job} />
    </article>
  );
}
