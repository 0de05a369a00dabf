/** What a WebSocket close code means for a person, and whether to try again. */

/** Codes from 4400 to 4499 say: do not come back. */
export function isFinal(code: number): boolean {
  return code >= 4400 && code <= 4499;
}

export function explainClose(code: number, reason: string): string {
  if (reason) return reason;
  switch (code) {
    case 1007:
      return "The server could not read what this page sent.";
    case 1008:
      return "The server refused this connection.";
    case 1009:
      return "An edit is larger than the server accepts.";
    case 1011:
      return "The server had an error.";
    case 1012:
      return "The server is restarting.";
    case 1013:
      return "The server is busy.";
    case 4401:
      return "You are not signed in.";
    case 4403:
      return "You are not allowed to open this room.";
    default:
      return isFinal(code) ? `The server ended this session (code ${code}).` : "The connection was lost.";
  }
}
