/** The room's versions on a slider: what each held, what differs, and the way back. */
import { useEffect, useId, useState, type FormEvent, type KeyboardEvent } from "react";
import { moment } from "../ai/words";
import { ConfirmDialog } from "../layout/Dialog";
import { Icon } from "../layout/Icon";
import type { Comparison, VersionInfo } from "../messages";
import { useRoom, useSession } from "../store/context";
import { Changes } from "./Changes";
import { FilesThen } from "./FilesThen";
import { causeOf, describeVersion, peopleOf, startAt, type Start } from "./versions";

/** A version is looked at this long before the server is asked what differs, so that sliding asks once. */
const SETTLE_MS = 150;
const NOW = "";

function NameForm() {
  const session = useSession();
  const [name, setName] = useState("");
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!name.trim()) return;
    if (await session.request({ type: "save_version", name: name.trim() })) setName((now) => (now === name ? "" : now));
  };
  return (
    <form className="row version-name" onSubmit={(event) => void save(event)}>
      <input
        className="input"
        data-testid="version-name"
        placeholder="Name for the room as it is now"
        aria-label="Name for the room as it is now"
        maxLength={200}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <button type="submit" className="button small" data-testid="version-save" disabled={!name.trim()}>
        Keep
      </button>
    </form>
  );
}

/** What differs between two versions, the older one first; `to` empty is now. Null while it is on its way. */
function useComparison(base: string, to: string): Comparison | null {
  const session = useSession();
  const [found, setFound] = useState<Comparison | null>(null);
  useEffect(() => {
    let current = true;
    let timer: ReturnType<typeof setTimeout>;
    const ask = async (): Promise<void> => {
      const answer = await session.request({ type: "compare", base, to: to === NOW ? null : to });
      if (current && answer?.type === "comparison") setFound(answer);
    };
    const later = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => void ask(), ms);
    };
    setFound(null);
    later(SETTLE_MS);
    // What is there now goes on changing.
    const stop = to === NOW ? session.texts.subscribe(() => later(1_000)) : null;
    return () => {
      current = false;
      clearTimeout(timer);
      stop?.();
    };
  }, [session, base, to]);
  return found;
}

type Wanted = { file: string; path: string } | "all";

interface VersionProps {
  version: VersionInfo;
  versions: VersionInfo[];
  /** What it is compared with until somebody chooses; null is now. */
  first: VersionInfo | null;
}

function Version({ version, versions, first }: VersionProps) {
  const session = useSession();
  const id = useId();
  const jobs = useRoom((state) => state.ai.jobs);
  const [view, setView] = useState<"changes" | "files">("changes");
  const [chosen, setAgainst] = useState<string | null>(null);
  const [wanted, setWanted] = useState<Wanted | null>(null);
  const against = chosen ?? first?.version ?? NOW;
  const other = versions.find((one) => one.version === against && one !== version);
  const older = other && other.number < version.number ? other : version;
  const newer = older === version ? other : version;
  const comparison = useComparison(older.version, newer?.version ?? NOW);
  const people = peopleOf(version, jobs);

  const restore = async (what: Wanted): Promise<void> => {
    const answer = await session.request({
      type: "restore",
      version: version.version,
      file: what === "all" ? null : what.file,
    });
    if (answer?.type !== "restored") return;
    const { paths } = answer;
    session.notify(
      paths.length === 0
        ? "Everything was so already."
        : `Brought back: ${paths.slice(0, 3).join(", ")}${paths.length > 3 ? ` and ${paths.length - 3} more` : ""}. It can be undone under “Other changes”.`,
    );
  };

  return (
    <div className="version" data-testid="version-shown" data-version={version.version}>
      <div className="row wrap">
        <h3>{version.name || causeOf(version, jobs)}</h3>
        <span className="muted small">
          {[moment(version.at_ms), people.join(", "), `${version.changed} of ${version.files} files changed`].filter(Boolean).join(" · ")}
        </span>
        <span className="grow" />
        <button type="button" className="button small" data-testid="restore-all" onClick={() => setWanted("all")}>
          Restore the whole room
        </button>
      </div>
      <div className="row wrap">
        <div className="segments" role="group" aria-label="What to show">
          <button type="button" aria-pressed={view === "changes"} data-testid="show-changes" onClick={() => setView("changes")}>
            Changes
          </button>
          <button type="button" aria-pressed={view === "files"} data-testid="show-files" onClick={() => setView("files")}>
            Files then
          </button>
        </div>
        {view === "changes" && (
          <label className="row small grow" htmlFor={id}>
            <span className="muted">compared with</span>
            <select id={id} className="input" data-testid="compare-with" value={other?.version ?? NOW} onChange={(event) => setAgainst(event.target.value)}>
              <option value={NOW}>Now</option>
              {versions
                .filter((one) => one.version !== version.version)
                .map((one) => (
                  <option key={one.version} value={one.version}>
                    {describeVersion(one, jobs)}
                  </option>
                ))}
            </select>
          </label>
        )}
      </div>
      {view === "files" ? (
        <FilesThen key={version.version} version={version} restore={setWanted} />
      ) : comparison ? (
        <Changes comparison={comparison} restore={older === version ? setWanted : null} />
      ) : (
        <p className="muted small">Comparing…</p>
      )}
      {wanted && (
        <ConfirmDialog
          title={wanted === "all" ? "Restore the whole room?" : `Restore ${wanted.path}?`}
          text={`${wanted === "all" ? "All files" : "It"} will be as in “${describeVersion(version, jobs)}”, for everybody. What was written since is taken out, and comes back when somebody undoes this.`}
          action="Restore"
          confirm={() => void restore(wanted)}
          close={() => setWanted(null)}
        />
      )}
    </div>
  );
}

export default function HistoryPanel({ start }: { start: Start }) {
  const session = useSession();
  const versions = useRoom((state) => state.versions);
  const jobs = useRoom((state) => state.ai.jobs);
  const [chosen, setChosen] = useState<string | null>(null);
  useEffect(() => {
    void session.request({ type: "history" });
  }, [session]);
  const close = (): void => session.showHistory(null);
  const keys = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.key === "Escape") close();
  };
  const first = startAt(versions ?? [], start);
  const shown = versions?.find((one) => one.version === chosen) ?? first.version;
  // The slider's left end is the oldest.
  const index = versions && shown ? versions.length - 1 - versions.indexOf(shown) : 0;
  return (
    <div className="center history" data-testid="history" role="region" aria-label="History" onKeyDown={keys}>
      <header className="center-head">
        <h2>History</h2>
        <span className="grow" />
        <NameForm />
        <button type="button" className="icon-button" data-testid="history-close" title="Back to the text (Escape)" aria-label="Back to the text" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {versions === null && <p className="pad muted small">Loading…</p>}
      {versions?.length === 0 && <p className="pad muted small">No version yet: they are made when jobs start and end, while people work, and when you keep one.</p>}
      {versions && shown && (
        <>
          <div className="slider">
            <input
              type="range"
              data-testid="history-slider"
              aria-label="Version"
              aria-valuetext={describeVersion(shown, jobs)}
              min={0}
              max={versions.length - 1}
              value={index}
              autoFocus
              onChange={(event) => setChosen(versions[versions.length - 1 - Number(event.target.value)]?.version ?? null)}
            />
            <div className="row small muted">
              <span>{moment(versions.at(-1)!.at_ms)}</span>
              <span className="grow" />
              <span>{moment(versions[0]!.at_ms)}</span>
            </div>
          </div>
          <div className="center-body versions">
            <ul className="version-list" aria-label="Versions, newest first">
              {versions.map((one) => (
                <li key={one.version}>
                  <button
                    type="button"
                    className="version-row"
                    data-testid="version"
                    data-version={one.version}
                    data-cause={one.cause}
                    aria-current={one === shown || undefined}
                    onClick={() => setChosen(one.version)}
                  >
                    <span className={one.name ? "ellipsis named" : "ellipsis"}>{one.name || causeOf(one, jobs)}</span>
                    <span className="muted small ellipsis">{[moment(one.at_ms), peopleOf(one, jobs).join(", ")].filter(Boolean).join(" · ")}</span>
                  </button>
                </li>
              ))}
            </ul>
            <Version version={shown} versions={versions} first={shown === first.version ? first.against : null} />
          </div>
        </>
      )}
    </div>
  );
}
