/** The room's jobs as a queue: those that run, those that wait in their order, and those that are over. */
import type { Job } from "../messages";
import { isRunning } from "./words";

export interface Line {
  running: Job[];
  /** The next one first. */
  waiting: Job[];
  paused: Job[];
  /** The newest first. */
  over: Job[];
  /** What was changed without the AI, the newest first. */
  changes: Job[];
}

export function isWaiting(job: Job): boolean {
  return job.state === "queued";
}

export function isPaused(job: Job): boolean {
  return (job.state as string) === "paused";
}

/** `jobs` are newest first. Those that wait without a known place come last, the oldest first. */
export function lineOf(jobs: Job[]): Line {
  const ai = jobs.filter((job) => job.kind === "job");
  const place = (job: Job): number => job.position ?? Infinity;
  return {
    running: ai.filter((job) => isRunning(job) && !isWaiting(job)).reverse(),
    waiting: ai
      .filter(isWaiting)
      .reverse()
      .sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b))),
    paused: ai.filter(isPaused).reverse(),
    over: ai.filter((job) => !isRunning(job) && !isPaused(job)),
    changes: jobs.filter((job) => job.kind !== "job"),
  };
}

/** Where a job is in the queue, in words. */
export function placeInWords(position: number): string {
  return position === 1 ? "Next in the queue" : `Number ${position} in the queue`;
}
