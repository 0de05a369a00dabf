/** A job's changes, file by file, with what the room decides about each. */
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { Choices, pressed } from "../ai/SuggestionCard";
import { DiffView } from "../ai/DiffView";
import { Findings } from "../ai/Findings";
import { changeTitle, collision, outcome, reasonOf, sideOf, stage, suggestionTitle } from "../ai/words";
import { fileText } from "../files/listing";
import { Icon } from "../layout/Icon";
import type { Job, Suggestion } from "../messages";
import { useRoom, useSession } from "../store/context";
import { byFile, counts, neighbour, nextOpen, type FileGroup } from "./grouping";
import { emptied, rangeIn } from "./place";
import { useLive } from "./useLive";

function Hunk({ suggestion, side, current, take }: { suggestion: Suggestion; side: string; current: boolean; take: () => void }) {
  const live = useLive(suggestion);
  const open = suggestion.state === "open";
  const how = collision(suggestion);
  const gone = live.gone ?? emptied(suggestion, live);
  return (
    <article
      className="card hunk"
      data-testid="hunk"
      data-suggestion={suggestion.suggestion}
      data-state={suggestion.state}
      aria-label={`${suggestionTitle(suggestion)} ${suggestion.path}: ${outcome(suggestion)}`}
      aria-current={current || undefined}
      tabIndex={current ? 0 : -1}
      onFocus={take}
    >
      <header className="card-head">
        <span className="small">{suggestionTitle(suggestion)}</span>
        {how && <span className="badge conflict">{how}</span>}
        <span className="grow" />
        {!open && <span className={`badge ${suggestion.state}`}>{outcome(suggestion)}</span>}
      </header>
      {suggestion.reason && <p className="small">{reasonOf(suggestion)}</p>}
      <Findings findings={suggestion.findings} />
      {gone && <p className="small warn">{gone}</p>}
      {suggestion.kind === "rename_file" ? (
        <p className="mono small">
          {suggestion.path} → {suggestion.after}
        </p>
      ) : (
        <DiffView before={live.text} after={suggestion.after} label={`From the text as it ${open ? "is" : "was"} to ${side}'s`} />
      )}
      {open && (
        <footer className="row wrap">
          <Choices suggestion={suggestion} prefix="hunk" />
        </footer>
      )}
    </article>
  );
}

function All({ job, path, open, prefix, what }: { job: Job; path: string | null; open: number; prefix: string; what: string }) {
  const session = useSession();
  if (open === 0) return null;
  return (
    <>
      <button type="button" className="button small" data-testid={`${prefix}-accept`} aria-label={`Accept ${what}`} onClick={() => void session.answerAll(job.job, "accept", path)}>
        Accept all{open > 1 && ` ${open}`}
      </button>
      <button type="button" className="button small" data-testid={`${prefix}-reject`} aria-label={`Reject ${what}`} onClick={() => void session.answerAll(job.job, "reject", path)}>
        Reject all
      </button>
    </>
  );
}

function File({ group, job, current, take }: { group: FileGroup; job: Job; current: string | null; take: (id: string) => void }) {
  const session = useSession();
  const file = useRoom((state) => state.files.find((one) => one.shown === group.path));
  return (
    <section className="review-file" data-testid="review-file" data-path={group.path} aria-label={group.path}>
      <header className="row wrap">
        {file ? (
          <button type="button" className="link mono" onClick={() => session.open(file.id)}>
            {group.path}
          </button>
        ) : (
          <span className="mono">{group.path}</span>
        )}
        <span className="muted small" data-testid="file-counts">
          {counts(group.suggestions)}
        </span>
        <span className="grow" />
        {group.suggestions.length > 1 && <All job={job} path={group.path} open={group.open} prefix="file" what={`all in ${group.path}`} />}
      </header>
      {group.suggestions.map((one) => (
        <Hunk key={one.suggestion} suggestion={one} side={sideOf(job)} current={one.suggestion === current} take={() => take(one.suggestion)} />
      ))}
    </section>
  );
}

export default function ReviewPanel({ id }: { id: string }) {
  const session = useSession();
  const job = useRoom((state) => state.ai.jobs.find((one) => one.job === id));
  const suggestions = useRoom((state) => state.ai.suggestions);
  const [chosen, setChosen] = useState<string | null>(null);
  const panel = useRef<HTMLDivElement>(null);
  const order = (one: Suggestion): number => {
    const text = one.file === null ? null : fileText(session.doc, one.file);
    return (text && rangeIn(one, text)?.from) ?? 0;
  };
  const groups = byFile(suggestions, id, order);
  const all = groups.flatMap((group) => group.suggestions);
  const first = all.find((one) => one.state === "open") ?? all[0];
  const current = all.some((one) => one.suggestion === chosen) ? chosen : (first?.suggestion ?? null);
  const focus = (suggestion: string | null): void => {
    if (suggestion === null) return;
    setChosen(suggestion);
    panel.current?.querySelector<HTMLElement>(`[data-suggestion="${CSS.escape(suggestion)}"]`)?.focus();
  };
  useEffect(() => {
    const before = panel.current;
    (before?.querySelector<HTMLElement>("[aria-current]") ?? before)?.focus();
  }, [id]);
  // When the one with the focus was answered, its buttons are gone: on to the next.
  const state = all.find((one) => one.suggestion === current)?.state;
  const last = useRef({ current, state });
  useEffect(() => {
    const before = last.current;
    last.current = { current, state };
    const lost = document.activeElement === document.body || panel.current?.contains(document.activeElement);
    if (before.current === current && before.state === "open" && state !== "open" && current !== null && lost) {
      focus(nextOpen(groups, current) ?? current);
    }
  });
  if (!job) return <p className="pad muted">This job is not known any more.</p>;

  const keys = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.key === "j" || event.key === "ArrowDown" ? 1 : event.key === "k" || event.key === "ArrowUp" ? -1 : null;
    const diff = event.target instanceof Element && event.target.closest(".diff") !== null;
    if (step !== null && !(diff && event.key.startsWith("Arrow"))) {
      event.preventDefault();
      focus(neighbour(groups, current, step));
    } else if (event.key === "Escape") {
      session.review(null);
    } else if (current !== null) {
      const hunk = panel.current?.querySelector<HTMLElement>(`[data-suggestion="${CSS.escape(current)}"]`);
      if (event.key === "Enter" && event.target === hunk && state !== "open") session.compare(current);
      else if (hunk) pressed(event, hunk);
    }
  };
  const open = all.filter((one) => one.state === "open").length;
  return (
    <div ref={panel} className="center review" data-testid="review" data-job={id} tabIndex={-1} onKeyDown={keys} role="region" aria-label={`Review: ${job.prompt}`}>
      <header className="center-head">
        <h2 className="ellipsis" title={job.prompt}>
          {changeTitle(job)}: {job.prompt}
        </h2>
        <span className="grow" />
        <button type="button" className="icon-button" data-testid="review-close" title="Back to the text (Escape)" aria-label="Back to the text" onClick={() => session.review(null)}>
          <Icon name="close" />
        </button>
      </header>
      <div className="row wrap review-acts">
        <span className={`badge ${job.state}`}>{stage(job)}</span>
        <span className="small" data-testid="review-counts" aria-live="polite">
          {[counts(all), job.hunks_applied > 0 ? `${job.hunks_applied} landed` : ""].filter(Boolean).join(", ") || "Nothing to decide"}
        </span>
        <span className="grow" />
        <All job={job} path={null} open={open} prefix="review" what="all of this job" />
        {job.undone ? (
          <button type="button" className="button small" data-testid="review-redo" onClick={() => void session.act(id, "redo")}>
            Redo
          </button>
        ) : (
          job.can_undo && (
            <button type="button" className="button small" data-testid="review-undo" onClick={() => void session.act(id, "undo")}>
              Undo all it wrote
            </button>
          )
        )}
        {job.kind === "job" && (
          <button type="button" className="button small" data-testid="review-history" onClick={() => session.showHistory({ job: id })}>
            Before and after
          </button>
        )}
      </div>
      <p className="muted small pad">
        {job.asked_by && `Asked by ${job.asked_by}. `}
        <kbd>j</kbd> <kbd>k</kbd> next and previous, <kbd>a</kbd> accept, <kbd>r</kbd> reject, <kbd>b</kbd> both, <kbd>e</kbd> edit, <kbd>Enter</kbd> compare.
      </p>
      <div className="center-body">
        {groups.map((group) => (
          <File key={group.path} group={group} job={job} current={current} take={setChosen} />
        ))}
      </div>
    </div>
  );
}
