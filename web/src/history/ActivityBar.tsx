/** Shown to somebody who comes back: what happened meanwhile. */
import { moment } from "../ai/words";
import { Icon } from "../layout/Icon";
import { useRoom, useSession } from "../store/context";
import { summary } from "./activity";

export function ActivityBar() {
  const session = useSession();
  const report = useRoom((state) => state.activity);
  const own = useRoom((state) => state.self.name);
  if (!report) return null;
  const close = (): void => session.store.setState({ activity: null });
  return (
    <div className="activity" role="status" data-testid="activity">
      <span>
        Since you left ({moment(report.since_ms)}): {summary(report, own)}.
      </span>
      <span className="grow" />
      <button
        type="button"
        className="button small"
        data-testid="activity-show"
        onClick={() => {
          session.showHistory({ since: report.since_ms });
          close();
        }}
      >
        Show
      </button>
      <button type="button" className="icon-button tiny" aria-label="Close this message" onClick={close}>
        <Icon name="close" size={13} />
      </button>
    </div>
  );
}
