// A provider while it is being written: from a preset or a kind of server, or from what is stored.

import type { Schemas } from "../../api/client"

export type Preset = Schemas["PresetAnswer"]
export type ServerType = Schemas["TypeAnswer"]
export type Spec = Schemas["ProviderSpec"]

/** The members that the form shows; everything else of a stored spec is kept as it is. */
export interface Draft {
  id: string
  name: string
  baseUrl: string
  /** Stored keys are masked; a mask that is sent back stands for its key. */
  keys: string[]
  models: string[]
  proxy: string
}

/** What a draft begins with. `taken` are the ids of providers that there are. */
export function draftOf(origin: Preset | ServerType, taken: string[]): Draft {
  return {
    id: findFreeId(origin.id, taken),
    name: "",
    baseUrl: origin.base_url ?? "",
    keys: origin.needs_key ? [""] : [],
    models: [],
    proxy: "",
  }
}

export function draftOfSpec(spec: Spec): Draft {
  return {
    id: spec.id,
    name: spec.name ?? "",
    baseUrl: spec.base_url ?? "",
    keys: [...(spec.api_key ? [spec.api_key] : []), ...(spec.api_keys ?? [])],
    models: (spec.models ?? []).map((model) => (typeof model === "string" ? model : model.id)),
    proxy: spec.proxy ?? "",
  }
}

/** The spec that a draft of a new provider gives. What the origin says itself is left out, so that
 * a later version may know better. */
export function specOf(draft: Draft, origin: Preset | ServerType): Spec {
  const isPreset = "type" in origin
  return {
    id: draft.id.trim(),
    ...(isPreset ? { preset: origin.id } : { type: origin.id }),
    ...given("name", draft.name),
    ...(draft.baseUrl.trim() === (origin.base_url ?? "") ? {} : given("base_url", draft.baseUrl)),
    api_keys: draft.keys.map((key) => key.trim()).filter(Boolean),
    ...(draft.models.length ? { models: draft.models } : {}),
    ...given("proxy", draft.proxy),
  }
}

/** The stored spec with what the draft changes. Models that were described keep their description. */
export function changedSpec(stored: Spec, draft: Draft): Spec {
  const described = new Map(
    (stored.models ?? []).map((model) => [typeof model === "string" ? model : model.id, model]),
  )
  return {
    ...stored,
    name: draft.name.trim() || null,
    base_url: draft.baseUrl.trim() || null,
    api_key: null,
    api_keys: draft.keys.map((key) => key.trim()).filter(Boolean),
    models: draft.models.length ? draft.models.map((id) => described.get(id) ?? id) : null,
    proxy: draft.proxy.trim() || null,
  }
}

function given<Name extends "name" | "base_url" | "proxy">(name: Name, value: string) {
  return value.trim() ? ({ [name]: value.trim() } as Record<Name, string>) : {}
}

/** `wanted`, or the first of `wanted-2`, `wanted-3` … that is free. */
export function findFreeId(wanted: string, taken: string[]): string {
  let id = wanted
  for (let count = 2; taken.includes(id); count++) id = `${wanted}-${count}`
  return id
}
