/** Asking the AI, its suggestions and its jobs. */
import { useRoom } from "../store/context";
import { JobCard } from "./JobCard";
import { PromptBox } from "./PromptBox";
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

export function AiPanel() {
  const jobs = useRoom((state) => state.ai.jobs);
  const suggestions = useRoom((state) => state.ai.suggestions);
  const open = suggestions.filter((one) => one.state === "open");
  const decided = suggestions.filter((one) => one.state !== "open").slice(-20).reverse();
  return (
    <div className="ai">
      <ModelLine />
      <PromptBox />
      {suggestions.length > 0 && (
        <section aria-label="Suggestions">
          <h3>
            Suggestions {open.length > 0 && <span className="count">{open.length}</span>}
          </h3>
          <div className="cards" aria-live="polite">
            {open.map((one) => (
              <SuggestionCard key={one.suggestion} suggestion={one} />
            ))}
          </div>
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
      {jobs.length > 0 && (
        <section aria-label="Jobs">
          <h3>Jobs</h3>
          <div className="cards">
            {jobs.map((job) => (
              <JobCard key={job.job} job={job} />
            ))}
          </div>
        </section>
      )}
    </div>
  );
}
