/** The jobs that run, wait or are paused, in the order in which they come, and what people do with that order. */
import { useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { Icon } from "../layout/Icon";
import type { Job } from "../messages";
import { useSession } from "../store/context";
import { JobCard } from "./JobCard";
import { placeInWords, type Line } from "./line";
import { PRIORITIES, type Priority } from "./words";

interface PlaceProps {
  job: Job;
  /** Counted from 1. */
  place: number;
  last: number;
  move: (place: number) => void;
}

/** The place of a job that waits: to its front and to its back, and how urgent it is. */
function Place({ job, place, last, move }: PlaceProps) {
  const session = useSession();
  const step = (name: "up" | "down", to: number, text: string) => (
    <button
      type="button"
      className="icon-button"
      data-testid={`job-${name}`}
      title={`${text} (Alt+${name === "up" ? "↑" : "↓"})`}
      aria-label={text}
      aria-keyshortcuts={name === "up" ? "Alt+ArrowUp" : "Alt+ArrowDown"}
      disabled={to < 1 || to > last}
      onClick={() => move(to)}
    >
      <Icon name={name} />
    </button>
  );
  return (
    <div className="row place">
      {last > 0 && step("up", place - 1, "Earlier")}
      {last > 0 && step("down", place + 1, "Later")}
      <label className="row small muted grow">
        <span>Priority</span>
        <select
          className="input"
          data-testid="job-priority"
          value={job.priority}
          onChange={(event) => void session.reorder(job.job, { priority: event.target.value as Priority })}
        >
          {PRIORITIES.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

export function Queue({ line }: { line: Line }) {
  const session = useSession();
  const list = useRef<HTMLOListElement>(null);
  const [said, setSaid] = useState("");
  // A job that is moved takes its place in the page, by which it loses the focus.
  const kept = useRef<{ job: string; control: string | null } | null>(null);
  const { running, waiting, paused } = line;

  useLayoutEffect(() => {
    const held = kept.current;
    if (!held || document.activeElement !== document.body) return;
    const card = list.current?.querySelector<HTMLElement>(`[data-job="${CSS.escape(held.job)}"]`);
    const control = held.control === null ? null : card?.querySelector<HTMLButtonElement>(`[data-testid="${held.control}"]:enabled`);
    (control ?? card?.querySelector<HTMLElement>(".place :enabled"))?.focus();
  });

  const move = async (job: Job, place: number): Promise<void> => {
    const focused = document.activeElement;
    kept.current = { job: job.job, control: focused instanceof HTMLElement ? (focused.dataset["testid"] ?? null) : null };
    if (await session.reorder(job.job, { position: place })) setSaid(`${placeInWords(place)}: ${job.prompt}`);
  };
  const keys = (event: KeyboardEvent, job: Job, place: number): void => {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const to = event.key === "ArrowUp" ? place - 1 : event.key === "ArrowDown" ? place + 1 : 0;
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    if (to >= 1 && to <= waiting.length) void move(job, to);
  };

  const all = running.length + waiting.length + paused.length;
  if (all === 0) return null;
  return (
    <section aria-label="Queue" data-testid="queue">
      <h3>
        Queue <span className="count">{all}</span>
      </h3>
      <p className="sr-only" aria-live="polite">
        {said}
      </p>
      <ol className="cards" ref={list}>
        {/* One list, so that a card whose job begins or is paused stays the same, with what is being written in it. */}
        {[...running, ...waiting, ...paused].map((job, at) => {
          const place = at - running.length + 1;
          const waits = place >= 1 && place <= waiting.length;
          return (
            <li
              key={job.job}
              onKeyDown={(event) => waits && keys(event, job, place)}
              onBlur={(event) => {
                if (event.relatedTarget) kept.current = null;
              }}
            >
              <JobCard job={job}>
                {place >= 1 && (
                  <Place
                    job={job}
                    place={waits ? place : 0}
                    last={waits ? waiting.length : 0}
                    move={(to) => void move(job, to)}
                  />
                )}
              </JobCard>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
