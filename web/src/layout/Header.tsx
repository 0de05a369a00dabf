/** The top of the page: the room, the state of saving, who is here. */
import { describeSaving } from "../provider/saving";
import { useRoom, useSession } from "../store/context";
import { Icon } from "./Icon";
import { readableRoom } from "./roomName";
import { SHORTCUTS } from "./shortcuts";

/** For a person who cannot see the page, only what matters is said aloud, not each keystroke's saving. */
function Spoken({ text, urgent }: { text: string; urgent: boolean }) {
  return (
    <span className="sr-only" role="status">
      {urgent ? text : ""}
    </span>
  );
}

export function SaveState() {
  const saving = useRoom((state) => state.saving);
  const text = describeSaving(saving);
  return (
    <>
      <span className={`save-state ${saving.kind}`} data-testid="save-state" data-state={saving.kind} title={"reason" in saving ? saving.reason : text}>
        <span className="save-dot" aria-hidden="true" />
        <span className="ellipsis">{text}</span>
      </span>
      <Spoken text={text} urgent={["offline", "not_saved", "ended"].includes(saving.kind)} />
    </>
  );
}

function Avatars() {
  const session = useSession();
  const others = useRoom((state) => state.people).filter((one) => !one.self);
  return (
    <div className="avatars wide-only" role="group" aria-label="Who else is here">
      {others.slice(0, 6).map((one) => (
        <button key={one.client} type="button" className="avatar" style={{ background: one.color }} title={`Go to ${one.name}`} aria-label={`Go to ${one.name}`} onClick={() => session.follow(one)}>
          {one.kind === "job" ? <Icon name="spark" size={13} /> : ([...one.name.trim()][0] ?? "?").toUpperCase()}
        </button>
      ))}
      {others.length > 6 && <span className="muted small">+{others.length - 6}</span>}
    </div>
  );
}

export function Header() {
  const session = useSession();
  const room = useRoom((state) => state.room);
  const theme = useRoom((state) => state.theme);
  const history = useRoom((state) => state.center.kind === "history");
  const other = theme === "dark" ? "light" : "dark";
  const share = (): void => {
    navigator.clipboard.writeText(location.href).then(
      () => session.notify("The room's address was copied."),
      () => session.notify(`Copy the room's address: ${location.href}`),
    );
  };
  return (
    <header className="top">
      <span className="brand">
        <span className="logo" aria-hidden="true" />
        <span className="wide-only">Pairloom</span>
      </span>
      <h1 className="room ellipsis" title={readableRoom(room)}>
        {readableRoom(room)}
      </h1>
      <button type="button" className="icon-button" title="Copy the room's address" aria-label="Copy the room's address" onClick={share}>
        <Icon name="link" />
      </button>
      <SaveState />
      <span className="grow" />
      <Avatars />
      <button
        type="button"
        className="icon-button"
        data-testid="history-toggle"
        title={`History (${SHORTCUTS.history})`}
        aria-label="History"
        aria-pressed={history}
        aria-keyshortcuts={SHORTCUTS.history}
        onClick={() => session.showHistory(history ? null : {})}
      >
        <Icon name="clock" />
      </button>
      <button
        type="button"
        className="icon-button"
        data-testid="theme-toggle"
        title={`Change to ${other} colours`}
        aria-label={`Change to ${other} colours`}
        onClick={() => session.toggleTheme()}
      >
        <Icon name={theme === "dark" ? "sun" : "moon"} />
      </button>
    </header>
  );
}
