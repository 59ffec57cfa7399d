// The request log as the page holds it: pages of older requests, and what is new put before them.

import {
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type InfiniteData,
} from "@tanstack/react-query"
import { api, take, type Schemas } from "../../api/client"

export type LoggedRequest = Schemas["RequestAnswer"]
export type WholeRequest = Schemas["WholeRequestAnswer"]
export type LogPage = Schemas["RequestsAnswer"]

/** What is looked for; an empty text asks for everything. */
export interface Filters {
  since: string
  provider: string
  model: string
  key: string
  status: string
  text: string
}

export const FILTERS = ["since", "provider", "model", "key", "status", "text"] as const

type Pages = InfiniteData<LogPage, string | null>

const FULL_PAGE = 500
const NEWEST = 100

export function readFilters(query: URLSearchParams): Filters {
  return Object.fromEntries(
    FILTERS.map((name) => [name, query.get(name) ?? ""]),
  ) as unknown as Filters
}

/** The log under `filters`; while `isLive` is true, new requests appear every two seconds. */
export function useLog(filters: Filters, isLive: boolean) {
  const client = useQueryClient()
  const key = ["requests", "log", filters]
  const log = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => readPage(filters, FULL_PAGE, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  })
  useQuery({
    queryKey: ["requests", "newest", filters],
    queryFn: async () => {
      const page = await readPage(filters, NEWEST, null)
      client.setQueryData<Pages>(key, (known) => known && putBefore(known, page))
      return page.requests.length
    },
    enabled: isLive && log.isSuccess,
    refetchInterval: 2_000,
  })
  return log
}

/** One request with its bodies; a request that has just ended may take a moment to be there. */
export const useRequest = (id: string) =>
  useQuery({
    queryKey: ["requests", "one", id],
    queryFn: () => readRequest(id),
    retry: 5,
    retryDelay: 300,
    staleTime: Infinity,
  })

export function readRequest(id: string): Promise<WholeRequest> {
  const params = { path: { request_id: id } }
  return take(api.GET("/admin/requests/{request_id}", { params }))
}

function readPage(filters: Filters, limit: number, after: string | null): Promise<LogPage> {
  const { status, ...rest } = filters
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value))
  const outcome = status === "failed" ? { failed: true } : status ? { status } : {}
  const query = { ...given, ...outcome, limit, ...(after ? { after } : {}) }
  return take(api.GET("/admin/requests", { params: { query } }))
}

/** `known` with the newest requests before it. Where more have come than `page` holds, what is
 * known is given up rather than shown with a gap; scrolling reads it again. */
export function putBefore(known: Pages, page: LogPage): Pages {
  const [first, ...others] = known.pages
  const present = new Set(known.pages.flatMap((each) => each.requests.map(identify)))
  const fresh = page.requests.filter((request) => !present.has(identify(request)))
  if (!first || (fresh.length === page.requests.length && page.next !== null)) {
    return { pages: [page], pageParams: [null] }
  }
  if (fresh.length === 0) return known
  return { ...known, pages: [{ ...first, requests: [...fresh, ...first.requests] }, ...others] }
}

/** Clients may send the same `x-request-id` again: only with its time a request is one of a kind. */
export function identify(request: LoggedRequest): string {
  return `${request.at} ${request.id}`
}
