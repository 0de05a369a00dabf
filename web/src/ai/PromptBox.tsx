/** Where people ask the AI. */
import { useId, useMemo, useState, type FormEvent, type KeyboardEvent } from "react";
import type { Mode } from "../messages";
import { useRoom, useSession } from "../store/context";
import { FilePicker } from "./FilePicker";
import { Options, type Wishes } from "./Options";
import { RoomRules } from "./RoomRules";
import { MODES } from "./words";

const MAX_FILES = 200;

export function PromptBox() {
  const session = useSession();
  const id = useId();
  const limit = useRoom((state) => state.server?.limits["prompt_chars"] ?? null);
  const online = useRoom((state) => state.server !== null && !["offline", "ended", "connecting"].includes(state.saving.kind));
  const openFile = useRoom((state) => state.openFile);
  const [prompt, setPrompt] = useState("");
  const room = useRoom((state) => state.mode);
  // Null: as the room has it, also when somebody changes that.
  const [own, setMode] = useState<Mode | null>(null);
  const mode = own ?? room;
  const [wishes, setWishes] = useState<Wishes>({ strategy: null, model: "", priority: "normal" });
  const [flipped, setFlipped] = useState<ReadonlySet<string>>(new Set());
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  // The open file is chosen unless it was taken out; any other only if it was put in.
  const chosen = useMemo(() => {
    const result = new Set(flipped);
    if (openFile !== null) {
      if (flipped.has(openFile)) result.delete(openFile);
      else result.add(openFile);
    }
    return result;
  }, [flipped, openFile]);

  const toggle = (file: string): void => {
    const next = new Set(flipped);
    if (!next.delete(file)) next.add(file);
    setFlipped(next);
  };

  const length = [...prompt].length;
  const tooLong = limit !== null && length > limit;
  const ready = online && !sending && !tooLong && prompt.trim() !== "";

  const send = async (): Promise<void> => {
    if (!ready) return;
    setSending(true);
    setProblem(null);
    try {
      const known = new Set(session.store.getState().files.map((file) => file.id));
      const files = [...chosen].filter((file) => known.has(file)).slice(0, MAX_FILES);
      const model = wishes.model.trim();
      await session.ask({ ...wishes, prompt, mode: own, files, model: model === "" ? null : model });
      // Only what was asked: people write the next one while this one is on its way.
      setPrompt((now) => (now === prompt ? "" : now));
      // The next one is as urgent as any other, unless that is said again.
      setWishes((now) => (now.priority === wishes.priority ? { ...now, priority: "normal" } : now));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setSending(false);
    }
  };

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void send();
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  };

  return (
    <form className="prompt" onSubmit={submit}>
      <label className="sr-only" htmlFor={id}>
        What should the AI do?
      </label>
      <textarea
        id={id}
        data-testid="prompt"
        className="input"
        rows={4}
        placeholder="What should the AI do?"
        value={prompt}
        aria-describedby={`${id}-count`}
        aria-invalid={tooLong}
        onChange={(event) => setPrompt(event.target.value)}
        onKeyDown={keys}
      />
      <FilePicker chosen={chosen} toggle={toggle} />
      <div className="segments" role="group" aria-label="What happens to the changes">
        {MODES.map(([value, text, title]) => (
          <button key={value} type="button" title={title} aria-pressed={mode === value} data-testid={`mode-${value}`} onClick={() => setMode(value)}>
            {text}
          </button>
        ))}
      </div>
      <label className="row small muted room-mode">
        <span>In this room, unless chosen</span>
        <select
          className="input grow"
          data-testid="room-mode"
          value={room}
          onChange={(event) => {
            session.setMode(event.target.value as Mode);
            setMode(null);
          }}
        >
          {MODES.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <RoomRules />
      <div className="options">
        <Options wishes={wishes} change={setWishes} />
        <button type="submit" className="button primary" data-testid="ask" disabled={!ready} title="Ctrl+Enter or ⌘+Enter">
          {sending ? "Asking…" : "Ask"}
        </button>
      </div>
      <p id={`${id}-count`} className={tooLong ? "small error" : "muted small"}>
        {limit !== null && length > 0
          ? `${length.toLocaleString("en")} of ${limit.toLocaleString("en")} characters${tooLong ? ": shorten the prompt" : ""}`
          : "Ctrl+Enter sends. Everybody in the room sees the job."}
      </p>
      {problem && (
        <p className="small error" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
