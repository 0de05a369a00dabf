/** The rules of the room, which every job is given. They are in the document, so all write the same ones. */
import { useId, useState } from "react";
import { useRoom, useSession } from "../store/context";
import { RULES_CHARS } from "../store/roomSettings";

export function RoomRules() {
  const session = useSession();
  const id = useId();
  const rules = useRoom((state) => state.rules);
  // Null: as the room has them, also when somebody changes that.
  const [draft, setDraft] = useState<string | null>(null);
  const text = draft ?? rules;
  const changed = draft !== null && draft !== rules;
  const tooLong = [...text].length > RULES_CHARS;
  const keep = (): void => {
    if (draft !== null) session.setRules(draft);
    setDraft(null);
  };
  return (
    <details className="picker" data-testid="rules">
      <summary>
        <span className="muted">Rules of this room</span> {rules === "" ? "None" : `${rules.split("\n")[0]}`}
      </summary>
      <div className="picker-body">
        <label className="sr-only" htmlFor={id}>
          Rules of this room
        </label>
        <textarea
          id={id}
          className="input"
          data-testid="rules-text"
          rows={5}
          placeholder="Such as: Python 3.11, type hints everywhere, tests with pytest."
          aria-describedby={`${id}-about`}
          aria-invalid={tooLong}
          value={text}
          onChange={(event) => setDraft(event.target.value)}
        />
        <p id={`${id}-about`} className={tooLong ? "small error" : "muted small"}>
          {tooLong ? `At most ${RULES_CHARS.toLocaleString("en")} characters: shorten them.` : "Every job of this room is given them, whoever asks."}
        </p>
        <div className="row">
          <button type="button" className="button small" data-testid="rules-keep" disabled={!changed || tooLong} onClick={keep}>
            Keep
          </button>
          {changed && (
            <button type="button" className="link small" onClick={() => setDraft(null)}>
              As they were
            </button>
          )}
        </div>
      </div>
    </details>
  );
}
