// Places within the pages, as the part of the address behind `#`: paths before it belong to the
// API (`/models` is one), and this way the pages work behind any prefix.

import { useSyncExternalStore, type AnchorHTMLAttributes } from "react"

/** `#/requests/7?model=m` is the path `/requests/7` and the query `model=m`. */
export interface Place {
  path: string
  query: URLSearchParams
}

let known = { hash: "", place: readPlace("") }

export function readPlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2)
  return { path: `/${path.replace(/^\/+|\/+$/g, "")}`, query: new URLSearchParams(query) }
}

/** The address of a place; parameters without a value are left out. */
export function placeUrl(path: string, query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1])
  return given.length ? `#${path}?${new URLSearchParams(given).toString()}` : `#${path}`
}

/** Goes there; `replace` leaves no step to go back to, for filters that are being typed. */
export function go(url: string, { replace = false } = {}): void {
  if (replace) {
    history.replaceState(null, "", url)
    window.dispatchEvent(new HashChangeEvent("hashchange"))
  } else {
    location.hash = url
  }
}

export function usePlace(): Place {
  return useSyncExternalStore(subscribe, currentPlace)
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener)
  return () => window.removeEventListener("hashchange", listener)
}

function currentPlace(): Place {
  if (known.hash !== location.hash) known = { hash: location.hash, place: readPlace(location.hash) }
  return known.place
}

export function Link({ to, ...rest }: { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  return <a href={to} {...rest} />
}
