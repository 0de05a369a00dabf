/** A change that an AI job proposes: what, why, and the room's answer. */
import { useState } from "react";
import type { Suggestion } from "../messages";
import { useSession } from "../store/context";
import { DiffView } from "./DiffView";
import { outcome, suggestionTitle } from "./words";

type Sides = "change" | "proposal" | "meanwhile";

function sidesOf(suggestion: Suggestion, sides: Sides): [string, string, string] {
  const { before, current, after } = suggestion;
  switch (sides) {
    case "change":
      return [current, after, "From the text as it is now to the proposal"];
    case "proposal":
      return [before, after, "From the text that the AI saw to the proposal"];
    case "meanwhile":
      return [before, current, "From the text that the AI saw to the text as it is now"];
  }
}

const CHOICES: [Sides, string][] = [
  ["change", "Change"],
  ["proposal", "AI's edit"],
  ["meanwhile", "Meanwhile"],
];

export function SuggestionCard({ suggestion, inline = false }: { suggestion: Suggestion; inline?: boolean }) {
  const session = useSession();
  const [sides, setSides] = useState<Sides>("change");
  const [asked, setAsked] = useState(false);
  const open = suggestion.state === "open";
  const changedMeanwhile = suggestion.before !== suggestion.current;
  const [left, right, label] = sidesOf(suggestion, sides);
  const prefix = inline ? "inline" : "suggestion";

  const answer = async (choice: "accept" | "reject"): Promise<void> => {
    setAsked(true);
    await session.answer(suggestion.suggestion, choice);
    setAsked(false);
  };

  return (
    <article
      className="card suggestion"
      data-testid={inline ? undefined : "suggestion"}
      data-suggestion={suggestion.suggestion}
      data-state={suggestion.state}
      aria-label={`${suggestionTitle(suggestion)} ${suggestion.path}`}
    >
      <header className="card-head">
        <span className="muted small">{suggestionTitle(suggestion)}</span>
        {suggestion.file !== null && !inline ? (
          <button type="button" className="link mono" onClick={() => session.open(suggestion.file)}>
            {suggestion.path}
          </button>
        ) : (
          <span className="mono">{suggestion.path}</span>
        )}
      </header>
      {suggestion.reason && <p className="small">{suggestion.reason}</p>}
      {open && (
        <>
          {changedMeanwhile && suggestion.kind !== "new_file" && (
            <div className="segments" role="group" aria-label="Texts to compare">
              {CHOICES.map(([value, text]) => (
                <button key={value} type="button" title={sidesOf(suggestion, value)[2]} aria-pressed={sides === value} onClick={() => setSides(value)}>
                  {text}
                </button>
              ))}
            </div>
          )}
          {suggestion.kind === "rename_file" ? (
            <p className="mono small">{suggestion.after}</p>
          ) : (
            <DiffView before={left} after={right} label={label} />
          )}
        </>
      )}
      <footer className="row">
        {open ? (
          <>
            <button
              type="button"
              className="button primary small"
              disabled={asked}
              data-testid={`${prefix}-accept`}
              onClick={() => void answer("accept")}
            >
              Accept
            </button>
            <button
              type="button"
              className="button small"
              disabled={asked}
              data-testid={`${prefix}-reject`}
              onClick={() => void answer("reject")}
            >
              Reject
            </button>
          </>
        ) : (
          <span className={`badge ${suggestion.state}`}>{outcome(suggestion)}</span>
        )}
      </footer>
    </article>
  );
}
