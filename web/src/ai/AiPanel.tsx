/** Asking the AI, its suggestions and its jobs. */
import { useMemo } from "react";
import type { Job } from "../messages";
import { useRoom } from "../store/context";
import { JobCard } from "./JobCard";
import { lineOf } from "./line";
import { PromptBox } from "./PromptBox";
import { Queue } from "./Queue";
import { SuggestionCard } from "./SuggestionCard";

function ModelLine() {
  const server = useRoom((state) => state.server);
  if (!server) return null;
  if (server.model !== null) {
    return (
      <p className="muted small" data-testid="model">
        Model: <span className="mono">{server.model}</span>
      </p>
    );
  }
  return (
    <details className="banner" data-testid="model">
      <summary>No AI is configured: only built-in templates answer.</summary>
      <p>
        What they write is no AI's work and is offered for review only. To use a real model, start the server with these
        settings, for any endpoint that speaks OpenAI's protocol (OpenAI, Anthropic's compatible endpoint, Ollama, vLLM):
      </p>
      <pre>PAIRLOOM_MODEL=…{"\n"}PAIRLOOM_BASE_URL=…{"\n"}PAIRLOOM_API_KEY=…</pre>
    </details>
  );
}

/** So many open suggestions are listed here; the review panel has them all. */
const LISTED = 20;
const MOST_CARDS = 50;

function Cards({ title, jobs }: { title: string; jobs: Job[] }) {
  if (jobs.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <div className="cards">
        {jobs.slice(0, MOST_CARDS).map((job) => (
          <JobCard key={job.job} job={job} />
        ))}
      </div>
      {jobs.length > MOST_CARDS && <p className="muted small">{jobs.length - MOST_CARDS} older ones are not shown.</p>}
    </section>
  );
}

export function AiPanel() {
  const jobs = useRoom((state) => state.ai.jobs);
  const suggestions = useRoom((state) => state.ai.suggestions);
  const line = useMemo(() => lineOf(jobs), [jobs]);
  const open = suggestions.filter((one) => one.state === "open");
  const decided = suggestions.filter((one) => one.state !== "open").slice(-20).reverse();
  return (
    <div className="ai">
      <ModelLine />
      <PromptBox />
      <Queue line={line} />
      {suggestions.length > 0 && (
        <section aria-label="Suggestions">
          <h3>
            Suggestions {open.length > 0 && <span className="count">{open.length}</span>}
          </h3>
          <div className="cards" aria-live="polite">
            {open.slice(0, LISTED).map((one) => (
              <SuggestionCard key={one.suggestion} suggestion={one} />
            ))}
          </div>
          {open.length > LISTED && <p className="muted small">{open.length - LISTED} more; see them with Review of their job.</p>}
          {decided.length > 0 && (
            <details className="decided" open={open.length === 0}>
              <summary className="small">{decided.length} decided</summary>
              <div className="cards">
                {decided.map((one) => (
                  <SuggestionCard key={one.suggestion} suggestion={one} />
                ))}
              </div>
            </details>
          )}
        </section>
      )}
      <Cards title="Jobs" jobs={line.over} />
      <Cards title="Other changes" jobs={line.changes} />
    </div>
  );
}
