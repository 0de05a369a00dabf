/** The sides of a suggestion next to each other, and the choice between them. */
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { Findings } from "../ai/Findings";
import { choiceText, collision, outcome, reasonOf, sideOf, suggestionTitle, type Choice } from "../ai/words";
import { Dialog } from "../layout/Dialog";
import type { Suggestion } from "../messages";
import { useRoom, useSession } from "../store/context";
import { HandEditor } from "./HandEditor";
import { emptied } from "./place";
import { SideBySide } from "./SideBySide";
import { useLive } from "./useLive";

/** Whether keeping both makes two files. */
function apart(suggestion: Suggestion): boolean {
  return suggestion.kind === "whole_file" || suggestion.kind === "new_file";
}

/** The text that a choice leads to. */
function resultOf(choice: Choice, suggestion: Suggestion, ours: string): string {
  const theirs = suggestion.after;
  if (choice === "reject") return ours;
  if (choice === "both" && !apart(suggestion)) return ours + (ours && !ours.endsWith("\n") ? "\n" : "") + theirs;
  return theirs;
}

const ORDER: Choice[] = ["accept", "reject", "both", "edit"];

export default function ConflictDialog() {
  const comparing = useRoom((state) => state.comparing);
  const suggestion = useRoom((state) => state.ai.suggestions.find((one) => one.suggestion === comparing?.suggestion));
  if (!comparing || !suggestion) return null;
  return <Sides key={suggestion.suggestion} suggestion={suggestion} edit={comparing.edit} />;
}

function Sides({ suggestion, edit }: { suggestion: Suggestion; edit: boolean }) {
  const session = useSession();
  const id = useId();
  const job = useRoom((state) => state.ai.jobs.find((one) => one.job === suggestion.job));
  const live = useLive(suggestion);
  const [choice, setChoice] = useState<Choice | null>(null);
  const [written, setWritten] = useState<{ from: string; text: string } | null>(null);
  const draft = session.drafts.get(suggestion.suggestion);
  const [sending, setSending] = useState(false);
  const [told, setTold] = useState<string | null>(null);
  const radios = useRef<HTMLFieldSetElement>(null);
  const mine = useRef(false);
  const open = suggestion.state === "open";
  const choices = ORDER.filter((one) => suggestion.choices.includes(one));
  const side = sideOf(job);
  const how = collision(suggestion);
  const gone = live.gone ?? emptied(suggestion, live);
  const close = (): void => session.compare(null);

  const choose = (next: Choice): void => {
    if (next === "edit" && written === null) {
      // What was chosen before is what is written on; without a choice, both, as nothing is lost so.
      const text = draft ?? resultOf(choice ?? (choices.includes("both") ? "both" : "accept"), suggestion, live.text);
      setWritten({ from: text, text });
    }
    setChoice(next);
  };
  useEffect(() => {
    if (edit && open && choices.includes("edit")) choose("edit");
    // Only what it was opened for; later choices are the person's.
  }, []);

  const use = async (): Promise<void> => {
    if (choice === null || sending || !open) return;
    setSending(true);
    mine.current = true;
    const refused = await session.answer(suggestion.suggestion, choice, written?.text ?? "");
    setSending(false);
    if (refused === null) {
      session.drafts.delete(suggestion.suggestion);
      close();
      return;
    }
    mine.current = false;
    setTold(refused);
  };

  const keys = (event: KeyboardEvent): void => {
    const writing = event.target instanceof Element && event.target.closest(".cm-content") !== null;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void use();
      return;
    }
    if (writing || event.ctrlKey || event.metaKey || event.altKey || !open) return;
    const picked = choices[Number(event.key) - 1];
    if (/^[1-9]$/.test(event.key) && picked) {
      event.preventDefault();
      choose(picked);
      radios.current?.querySelector<HTMLInputElement>(`input[value=${picked}]`)?.focus();
    } else if (event.key === "Enter" && event.target instanceof HTMLInputElement) {
      event.preventDefault();
      void use();
    }
  };

  const decided = !open && !mine.current;
  return (
    <Dialog
      title={`${suggestionTitle(suggestion)} ${suggestion.path}`}
      testid="conflict"
      className="wide"
      close={close}
      actions={
        <>
          <button type="button" className="button" data-testid="conflict-close" onClick={close} data-first={open ? undefined : true}>
            {open ? "Decide later" : "Close"}
          </button>
          {open && (
            <button type="button" className="button primary" data-testid="conflict-use" disabled={choice === null || sending} onClick={() => void use()}>
              {choice === null ? "Choose one" : `Use ${choice === "edit" ? "what I wrote" : choiceText(choice, side).toLowerCase()}`}
            </button>
          )}
        </>
      }
    >
      <div className="conflict-body" onKeyDown={keys} data-state={suggestion.state}>
        <p className="small">
          {how && <span className="badge conflict">{how}</span>} {reasonOf(suggestion)}{" "}
          {job && (
            <span className="muted">
              {job.kind === "job" ? `${job.asked_by || "Somebody"} asked ${job.model || "the AI"}: “${job.prompt}”` : `${job.prompt} (${job.asked_by})`}
            </span>
          )}
        </p>
        <Findings findings={suggestion.findings} />
        <div role="alert" className="conflict-news">
          {decided && (
            <p className="banner" data-testid="conflict-decided">
              {told ?? `Decided meanwhile: ${outcome(suggestion)}.`}
            </p>
          )}
          {open && told && <p className="small error">{told}</p>}
        </div>
        {decided && draft !== undefined && (
          <div className="result">
            <h3 className="small muted">What you wrote, to copy</h3>
            <pre tabIndex={0} data-testid="conflict-draft" aria-label="What you wrote">
              {draft}
            </pre>
          </div>
        )}
        {gone && <p className="small warn">{gone}</p>}
        <SideBySide
          base={suggestion.before}
          ours={live.text}
          theirs={suggestion.after}
          names={{ base: "Before", ours: open ? "Ours, now" : "Ours, then", theirs: side }}
        />
        {open && (
          <fieldset ref={radios} className="choices">
            <legend className="small">What shall stand there? Arrows or 1 to {choices.length} choose, Enter takes it.</legend>
            {choices.map((one, index) => (
              <label key={one} className="choice" data-chosen={choice === one || undefined}>
                <input
                  type="radio"
                  name={id}
                  value={one}
                  checked={choice === one}
                  data-testid={`conflict-${one}`}
                  data-first={index === 0 && !edit ? true : undefined}
                  onChange={() => choose(one)}
                />
                <kbd aria-hidden="true">{index + 1}</kbd> {choiceText(one, side)}
              </label>
            ))}
          </fieldset>
        )}
        {open && choice === "edit" && written && (
          <HandEditor
            text={written.from}
            path={suggestion.path}
            label="The text that shall stand there. Tab leaves it; Ctrl+Enter takes it."
            changed={(text) => {
              session.drafts.set(suggestion.suggestion, text);
              setWritten({ from: written.from, text });
            }}
            focus={edit}
          />
        )}
        {open && choice !== null && choice !== "edit" && (
          <div className="result">
            <h3 className="small muted">
              {choice === "both" && apart(suggestion) ? "Ours stays, and this becomes a file beside it" : "Result"}
            </h3>
            <pre data-testid="conflict-result" tabIndex={0} aria-label="Result">
              {resultOf(choice, suggestion, live.text)}
            </pre>
          </div>
        )}
      </div>
    </Dialog>
  );
}
