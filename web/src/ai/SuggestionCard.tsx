/** A change that a job proposes: what, why, and the room's answer. */
import { useState, type KeyboardEvent } from "react";
import type { Suggestion } from "../messages";
import { emptied } from "../review/place";
import { useLive } from "../review/useLive";
import { useRoom, useSession } from "../store/context";
import { DiffView } from "./DiffView";
import { Findings } from "./Findings";
import { collision, outcome, reasonOf, suggestionTitle, type Choice } from "./words";

const BUTTONS: [Choice, string, string][] = [
  ["accept", "Accept", "a"],
  ["reject", "Reject", "r"],
  ["both", "Keep both", "b"],
];

interface Props {
  suggestion: Suggestion;
  /** In the text, where keys work when the card or something in it has the focus. */
  inline?: boolean;
  /** Puts the focus back to the text. */
  leave?: () => void;
}

function Sides({ suggestion }: { suggestion: Suggestion }) {
  const live = useLive(suggestion);
  const gone = live.gone ?? emptied(suggestion, live);
  return (
    <>
      {gone && (
        <p className="small warn" data-testid="place-gone">
          {gone}
        </p>
      )}
      {suggestion.kind === "rename_file" ? (
        <p className="mono small">{suggestion.after}</p>
      ) : (
        <DiffView before={live.text} after={suggestion.after} label="From the text as it is now to the proposal" />
      )}
    </>
  );
}

/** The buttons of an open suggestion. */
export function Choices({ suggestion, prefix }: { suggestion: Suggestion; prefix: string }) {
  const session = useSession();
  const [asked, setAsked] = useState(false);
  const answer = async (choice: Choice): Promise<void> => {
    setAsked(true);
    const told = await session.answer(suggestion.suggestion, choice);
    setAsked(false);
    if (told) session.notify(told, "error");
  };
  return (
    <>
      {BUTTONS.filter(([choice]) => suggestion.choices.includes(choice) && (choice !== "both" || suggestion.conflict !== "none")).map(
        ([choice, text, key]) => (
          <button
            key={choice}
            type="button"
            className={choice === "accept" ? "button primary small" : "button small"}
            disabled={asked}
            data-testid={`${prefix}-${choice}`}
            aria-keyshortcuts={key}
            onClick={() => void answer(choice)}
          >
            {text}
          </button>
        ),
      )}
      {suggestion.choices.includes("edit") && (
        <button type="button" className="button small" data-testid={`${prefix}-edit`} aria-keyshortcuts="e" onClick={() => session.compare(suggestion.suggestion, true)}>
          Edit…
        </button>
      )}
      {suggestion.kind !== "rename_file" && (
        <button type="button" className="button small" data-testid={`${prefix}-compare`} aria-keyshortcuts="c" onClick={() => session.compare(suggestion.suggestion)}>
          Compare…
        </button>
      )}
    </>
  );
}

/** Presses the button that a key stands for; true if there was one. */
export function pressed(event: KeyboardEvent<HTMLElement>, within: HTMLElement): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const key = event.key === "Enter" && event.target === within ? "c" : event.key.toLowerCase();
  if (key.length !== 1) return false;
  const button = [...within.querySelectorAll<HTMLButtonElement>("[aria-keyshortcuts]")].find(
    (one) => one.getAttribute("aria-keyshortcuts") === key,
  );
  if (!button || button.disabled) return false;
  event.preventDefault();
  button.click();
  return true;
}

export function SuggestionCard({ suggestion, inline = false, leave }: Props) {
  const session = useSession();
  const by = useRoom((state) => state.ai.jobs.find((job) => job.job === suggestion.job)?.asked_by);
  const open = suggestion.state === "open";
  const how = collision(suggestion);
  const keys = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.key === "Escape" && leave) leave();
    else if (open) pressed(event, event.currentTarget);
  };
  return (
    <article
      className="card suggestion"
      data-testid={inline ? undefined : "suggestion"}
      data-suggestion={suggestion.suggestion}
      data-state={suggestion.state}
      data-conflict={suggestion.conflict}
      aria-label={`${suggestionTitle(suggestion)} ${suggestion.path}`}
      tabIndex={-1}
      onKeyDown={keys}
    >
      <header className="card-head">
        <span className="muted small">{suggestionTitle(suggestion)}</span>
        {suggestion.file !== null && !inline ? (
          <button type="button" className="link mono" onClick={() => session.goTo(suggestion)}>
            {suggestion.path}
          </button>
        ) : (
          <span className="mono">{suggestion.path}</span>
        )}
      </header>
      {(how || suggestion.reason || by) && (
        <p className="small">
          {how && <span className="badge conflict">{how}</span>} {reasonOf(suggestion)}{" "}
          {by && <span className="muted">Asked by {by}.</span>}
        </p>
      )}
      <Findings findings={suggestion.findings} />
      {open && <Sides suggestion={suggestion} />}
      <footer className="row wrap">
        {open ? (
          <Choices suggestion={suggestion} prefix={inline ? "inline" : "suggestion"} />
        ) : (
          <>
            <span className={`badge ${suggestion.state}`}>{outcome(suggestion)}</span>
            {suggestion.kind !== "rename_file" && (
              <button type="button" className="link small" onClick={() => session.compare(suggestion.suggestion)}>
                Compare
              </button>
            )}
          </>
        )}
      </footer>
    </article>
  );
}
