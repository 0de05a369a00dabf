/** The page: three columns, or one panel at a time with tabs where the page is narrow. */
import { AiPanel } from "../ai/AiPanel";
import { EditorPanel } from "../editor/EditorPanel";
import { ActivityBar } from "../history/ActivityBar";
import { FilesPanel } from "../files/FilesPanel";
import { Importer } from "../files/Importer";
import { PeoplePanel } from "../people/PeoplePanel";
import { useRoom, useSession } from "../store/context";
import { lazy, Suspense, useEffect } from "react";
import { Header } from "./Header";
import { Notices } from "./Notices";
import { listenToShortcuts } from "./shortcuts";
import { TabBar } from "./TabBar";

function Ended() {
  const saving = useRoom((state) => state.saving);
  if (saving.kind !== "ended") return null;
  return (
    <div className="ended" role="alert">
      <span>{saving.reason}</span>
      <button type="button" className="button small" onClick={() => location.reload()}>
        Reload
      </button>
    </div>
  );
}

// Not everybody needs these at once, so they come when they are asked for.
const ConflictDialog = lazy(() => import("../review/ConflictDialog"));
const HistoryPanel = lazy(() => import("../history/HistoryPanel"));
const ReviewPanel = lazy(() => import("../review/ReviewPanel"));
const SentPanel = lazy(() => import("../ai/SentPanel"));

function Center() {
  const center = useRoom((state) => state.center);
  switch (center.kind) {
    case "editor":
      return <EditorPanel />;
    case "review":
      return <ReviewPanel key={center.job} id={center.job} />;
    case "sent":
      return <SentPanel key={center.job} id={center.job} />;
    case "history":
      return <HistoryPanel key={JSON.stringify(center.start)} start={center.start} />;
  }
}

export function App() {
  const panel = useRoom((state) => state.panel);
  const comparing = useRoom((state) => state.comparing !== null);
  const session = useSession();
  useEffect(() => listenToShortcuts(session), [session]);
  return (
    <Importer>
      <div className="app" data-panel={panel}>
        <Header />
        <Ended />
        <main className="columns">
          <div className="side">
            <section id="panel-files" className="panel" data-name="files" aria-label="Files">
              <FilesPanel />
            </section>
            <section id="panel-people" className="panel" data-name="people" aria-label="People">
              <PeoplePanel />
            </section>
          </div>
          <section id="panel-editor" className="panel" data-name="editor" aria-label="Editor">
            <ActivityBar />
            <Suspense fallback={<p className="pad muted small">Loading…</p>}>
              <Center />
            </Suspense>
          </section>
          <section id="panel-ai" className="panel" data-name="ai" aria-label="AI">
            <AiPanel />
          </section>
        </main>
        <TabBar />
        <Notices />
        {comparing && (
          <Suspense>
            <ConflictDialog />
          </Suspense>
        )}
      </div>
    </Importer>
  );
}
