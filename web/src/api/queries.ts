// What the pages read and change. A change makes everything be read again: answers are small, and
// nothing on a page is ever older than what was just done.

import {
  QueryCache,
  QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query"
import { api, ApiError, take } from "./client"

/** A client for one page load. Whatever is refused for want of a session has the session looked
 * at again, and with that the login page appears. */
export function makeQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (isLoggedOut(error)) void client.invalidateQueries({ queryKey: ["session"] })
      },
    }),
    defaultOptions: {
      // No retries: what matters is asked for again every few seconds anyway.
      queries: { retry: false, staleTime: 2_000 },
    },
  })
  return client
}

export function isLoggedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401
}

/** Whether this browser is logged in. */
export const useSession = () =>
  useQuery({
    queryKey: ["session"],
    queryFn: async () => {
      try {
        await api.GET("/admin/status")
        return true
      } catch (error) {
        if (isLoggedOut(error)) return false
        throw error
      }
    },
  })

export const useStatus = () =>
  useQuery({
    queryKey: ["status"],
    queryFn: () => take(api.GET("/admin/status")),
    refetchInterval: 5_000,
  })

export const useProviders = () =>
  useQuery({
    queryKey: ["providers"],
    queryFn: () => take(api.GET("/admin/providers")),
    refetchInterval: 5_000,
  })

export const useProvider = (id: string) =>
  useQuery({
    queryKey: ["providers", id],
    queryFn: () =>
      take(api.GET("/admin/providers/{provider}", { params: { path: { provider: id } } })),
  })

export const usePresets = () =>
  useQuery({
    queryKey: ["presets"],
    queryFn: async () => (await take(api.GET("/admin/presets"))).presets,
    staleTime: Infinity,
  })

export const useTypes = () =>
  useQuery({
    queryKey: ["types"],
    queryFn: async () => (await take(api.GET("/admin/types"))).types,
    staleTime: Infinity,
  })

export const useModels = () =>
  useQuery({ queryKey: ["models"], queryFn: () => take(api.GET("/admin/models")) })

/** What today's requests used, from the last midnight of whoever looks. */
export const useUsageToday = () =>
  useQuery({
    queryKey: ["usage", "today"],
    queryFn: async () => {
      const since = new Date()
      since.setHours(0, 0, 0, 0)
      const query = { since: since.toISOString() }
      return (await take(api.GET("/admin/usage", { params: { query } }))).total
    },
    refetchInterval: 5_000,
  })

/** Prices that hold, by model; models without a known price are not among them. */
export const usePrices = () =>
  useQuery({
    queryKey: ["prices"],
    queryFn: async () => {
      const { models } = await take(api.GET("/admin/prices"))
      return new Map(models.map((price) => [price.model, price]))
    },
  })

export const useKeys = () =>
  useQuery({
    queryKey: ["keys"],
    queryFn: async () => (await take(api.GET("/admin/keys"))).keys,
  })

/** The default key itself; asked for only when somebody wants to see or copy it. */
export const useDefaultSecret = (wanted: boolean) =>
  useQuery({
    queryKey: ["default-secret"],
    queryFn: async () => (await take(api.GET("/admin/keys/default/secret"))).key,
    enabled: wanted,
  })

export const useSettings = () =>
  useQuery({ queryKey: ["settings"], queryFn: () => take(api.GET("/admin/settings")) })

/** A change; when it has succeeded, all that is shown is read anew. */
export function useChange<Input, Answer>(change: (input: Input) => Promise<Answer>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries(),
    onError: (error) => {
      if (isLoggedOut(error)) void client.invalidateQueries({ queryKey: ["session"] })
    },
  })
}
