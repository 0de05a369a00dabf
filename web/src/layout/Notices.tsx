import { useRoom, useSession } from "../store/context";
import { Icon } from "./Icon";

/** Short messages; an error stays until it is closed. */
export function Notices() {
  const session = useSession();
  const notices = useRoom((state) => state.notices);
  return (
    <div className="notices" aria-live="polite">
      {notices.map(({ id, kind, text }) => (
        <div key={id} className={`notice ${kind}`} data-testid="notice" role={kind === "error" ? "alert" : undefined}>
          <span>{text}</span>
          <button type="button" className="icon-button tiny" aria-label="Close this message" onClick={() => session.dismiss(id)}>
            <Icon name="close" size={13} />
          </button>
        </div>
      ))}
    </div>
  );
}
