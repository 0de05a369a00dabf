/** One AI job: what was asked, how far it is, and what can be done about it. */
import type { Job } from "../messages";
import { useRef, useState, type ReactNode } from "react";
import { useRoom, useSession } from "../store/context";
import type { JobAction } from "../store/session";
import { Findings } from "./Findings";
import { JobFacts } from "./JobFacts";
import { isPaused, isWaiting, LAST_STEERS, standing } from "./line";
import { Steering } from "./Steering";
import { answerTokens, canRetry, changeTitle, isRunning, moment, money, stage, timeLeft } from "./words";

function facts(job: Job): string {
  if (job.kind !== "job") return job.asked_by ? `By ${job.asked_by}` : "";
  return [
    job.asked_by && `Asked by ${job.asked_by}`,
    job.offline ? "offline templates, no AI" : job.model,
    job.cached ? "an answer that was given before" : null,
    answerTokens(job),
    job.cost === null ? null : money(job.cost),
    job.attempts.length > 1 ? `${job.attempts.length} requests` : null,
    timeLeft(job),
  ]
    .filter(Boolean)
    .join(" · ");
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
  const [steering, setSteering] = useState(false);
  const steer = useRef<HTMLButtonElement>(null);
  const button = (action: JobAction, text: string) => (
    <button type="button" className="button small" data-testid={`job-${action}`} onClick={() => void session.act(job.job, action)}>
      {text}
    </button>
  );
  const paused = isPaused(job);
  const active = isRunning(job) || paused;
  const ai = job.kind === "job";
  const idle = (paused || isWaiting(job)) && job.hunks_pending + job.hunks_applied === 0;
  return (
    <>
      <div className="row wrap">
        {paused && button("resume", "Resume")}
        {active && !paused && button("pause", "Pause")}
        {active && (
          <button
            ref={steer}
            type="button"
            className="button small"
            data-testid="job-steer"
            aria-expanded={steering}
            onClick={() => setSteering(!steering)}
          >
            Steer…
          </button>
        )}
        {active && button("cancel", "Cancel")}
        {ai && canRetry(job) && button("retry", "Retry")}
        {job.undone ? button("redo", "Redo") : job.can_undo && button("undo", "Undo")}
        {!idle && (
          <button type="button" className="button small" data-testid="job-review" onClick={() => session.review(job.job)}>
            {job.hunks_pending > 0 ? `Review ${job.hunks_pending}` : "Review"}
          </button>
        )}
      </div>
      {steering && active && (
        <Steering
          job={job}
          close={() => {
            setSteering(false);
            steer.current?.focus();
          }}
        />
      )}
    </>
  );
}

/** Drawn only while it is open, as there may be many jobs. */
function Details({ job }: { job: Job }) {
  const session = useSession();
  const [open, setOpen] = useState(false);
  return (
    <details className="more" data-testid="job-details" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="small">Details</summary>
      {open && (
        <>
          <JobFacts job={job} />
          {!job.offline && (
            <button type="button" className="button small" data-testid="job-sent" onClick={() => session.showSent(job.job)}>
              What was sent to the model
            </button>
          )}
        </>
      )}
    </details>
  );
}

function Standing({ job }: { job: Job }) {
  const words = useRoom((state) => standing(job, state.ai.jobs));
  if (words === null) return null;
  return (
    <p className="small clamp" data-testid="job-place" title={words}>
      {words}
    </p>
  );
}

/** `children` are what can be done with it as it waits. */
export function JobCard({ job, children }: { job: Job; children?: ReactNode }) {
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
        {job.priority !== "normal" && <span className={`badge priority ${job.priority}`}>{job.priority} priority</span>}
        <span className="grow" />
        <time className="muted small" dateTime={new Date(job.created_ms).toISOString()}>
          {moment(job.created_ms)}
        </time>
      </header>
      <p className="prompt-text">{job.prompt}</p>
      {isWaiting(job) && <Standing job={job} />}
      {running && !isWaiting(job) && (
        <>
          <progress max={100} value={percent} aria-label="Progress">
            {percent} %
          </progress>
          <p className="small" aria-live="polite">
            {detail || stage(job)}
            <span className="muted"> · {percent} %</span>
          </p>
          {job.current_file && !stream && (
            <p className="small">
              <span className="muted">File</span> <span className="mono" data-testid="job-file">{job.current_file}</span>
            </p>
          )}
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
      {job.steers.length > 0 && (
        <ul className="steers small" aria-label="Said to it since">
          {job.steers.slice(-LAST_STEERS).map((steer, index) => (
            <li key={index}>{steer}</li>
          ))}
        </ul>
      )}
      {job.error && (
        <p className="small error">
          {job.error} {job.error_code && <span className="mono muted">{job.error_code}</span>}
        </p>
      )}
      <Findings findings={job.findings} />
      {summary && <p className="small">{summary}</p>}
      <Files job={job} />
      {children}
      <Actions job={job} />
      {job.kind === "job" && <Details job={job} />}
    </article>
  );
}
