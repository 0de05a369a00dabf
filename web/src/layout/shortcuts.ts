/** Keys that work everywhere on the page. By their place on the keyboard, as Alt changes what they write. */
import { flushSync } from "react-dom";
import type { RoomSession } from "../store/session";

export const SHORTCUTS = { blame: "Alt+Shift+B", history: "Alt+Shift+H", review: "Alt+Shift+R", search: "Alt+Shift+F" } as const;

/** Listens until the function that it gives is called. */
export function listenToShortcuts(session: RoomSession): () => void {
  const pressed = (event: KeyboardEvent): void => {
    if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return;
    if (document.querySelector("dialog[open]")) return;
    const state = session.store.getState();
    switch (event.code) {
      case "KeyB":
        session.toggleBlame();
        break;
      case "KeyH":
        session.showHistory(state.center.kind === "history" ? null : {});
        break;
      case "KeyR": {
        const job = state.ai.jobs.find((one) => one.hunks_pending > 0) ?? state.ai.jobs[0];
        if (state.center.kind === "review") session.review(null);
        else if (job) session.review(job.job);
        else session.notify("There is nothing to review yet.");
        break;
      }
      case "KeyF":
        // It can have the focus only once its panel is there to be seen.
        flushSync(() => session.show("files"));
        document.getElementById("search")?.focus();
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  addEventListener("keydown", pressed, { capture: true });
  return () => removeEventListener("keydown", pressed, { capture: true });
}
