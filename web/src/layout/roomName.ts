/** A room is its part of the address as sent, never percent-decoded; only people see it decoded. */

/** The raw name of the room that a page's path names. */
export function roomOfPath(path: string): string {
  return path.replace(/^\/r\//, "");
}

/** The name without percent-encoding, as far as it can be decoded. */
export function readableRoom(room: string): string {
  try {
    return decodeURIComponent(room);
  } catch {
    return room;
  }
}
