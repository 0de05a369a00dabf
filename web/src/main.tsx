/** Opens the room that the page's address names. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./layout/App";
import { readableRoom, roomOfPath } from "./layout/roomName";
import { SessionContext } from "./store/context";
import { RoomSession } from "./store/session";
import "./styles/main.css";

const root = document.getElementById("root");
if (!root) throw new Error("The page has no element #root.");

const session = new RoomSession(roomOfPath(location.pathname));
document.title = `${readableRoom(session.room)} · Pairloom`;
createRoot(root).render(
  <StrictMode>
    <SessionContext value={session}>
      <App />
    </SessionContext>
  </StrictMode>,
);
void session.start();
