/** The jobs that run, wait or are paused, in the order in which they come. */
import { JobCard } from "./JobCard";
import type { Line } from "./line";

export function Queue({ line }: { line: Line }) {
  const jobs = [...line.running, ...line.waiting, ...line.paused];
  if (jobs.length === 0) return null;
  return (
    <section aria-label="Queue" data-testid="queue">
      <h3>
        Queue <span className="count">{jobs.length}</span>
      </h3>
      <ol className="cards">
        {jobs.map((job) => (
          <li key={job.job}>
            <JobCard job={job} />
          </li>
        ))}
      </ol>
    </section>
  );
}
