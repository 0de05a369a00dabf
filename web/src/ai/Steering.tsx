/** Tells a job something further, while it waits, is paused or runs. */
import { useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import type { Job } from "../messages";
import { useRoom, useSession } from "../store/context";
import { isWaiting } from "./line";

export function Steering({ job, close }: { job: Job; close: () => void }) {
  const session = useSession();
  const id = useId();
  const limit = useRoom((state) => state.server?.limits["prompt_chars"]);
  const [text, setText] = useState("");
  const [sending, setSending] = useState(false);
  const latest = useRef(text);
  latest.current = text;
  const done = useRef(false);
  useEffect(
    () => () => {
      // The job may end before the sentence does.
      if (!done.current && latest.current.trim()) session.notify(`Not said to the job: ${latest.current.trim()}`, "error");
    },
    [session],
  );
  const leave = (): void => {
    done.current = true;
    close();
  };
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!text.trim() || sending) return;
    setSending(true);
    const said = await session.steer(job.job, text.trim());
    setSending(false);
    // What was written meanwhile is another sentence.
    if (said && latest.current === text) leave();
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    leave();
  };
  return (
    <form className="steering" onSubmit={(event) => void send(event)} onKeyDown={keys}>
      <label className="small muted" htmlFor={id}>
        {isWaiting(job) ? "Say something further before it begins" : "Say something further; what it has finished stays"}
      </label>
      <div className="row">
        <input
          id={id}
          className="input"
          data-testid="steer-text"
          placeholder="Such as: use the standard library only"
          maxLength={limit}
          autoFocus
          autoComplete="off"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="button small primary" data-testid="steer-send" disabled={!text.trim() || sending}>
          {sending ? "Saying…" : "Say"}
        </button>
      </div>
    </form>
  );
}
