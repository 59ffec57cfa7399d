// The pages in the order of the navigation. A new page is a row here: its code is fetched when
// somebody goes there for the first time.

import { lazy, type ComponentType } from "react"
import {
  HomeIcon,
  KeysIcon,
  ModelsIcon,
  PlaygroundIcon,
  ProvidersIcon,
  RequestsIcon,
  SettingsIcon,
  UsageIcon,
  type IconProps,
} from "../ui/icons"

export interface PageRow {
  /** The first segment of its places; everything below it is the page's own. */
  path: string
  title: { en: string; zh: string }
  icon: ComponentType<IconProps>
  page: ComponentType
}

export const PAGES: PageRow[] = [
  {
    path: "/",
    title: { en: "Home", zh: "首页" },
    icon: HomeIcon,
    page: lazy(() => import("./home/home")),
  },
  {
    path: "/providers",
    title: { en: "Providers", zh: "服务商" },
    icon: ProvidersIcon,
    page: lazy(() => import("./providers/providers")),
  },
  {
    path: "/models",
    title: { en: "Models", zh: "模型" },
    icon: ModelsIcon,
    page: lazy(() => import("./models/models")),
  },
  {
    path: "/playground",
    title: { en: "Playground", zh: "试用" },
    icon: PlaygroundIcon,
    page: lazy(() => import("./playground/playground")),
  },
  {
    path: "/requests",
    title: { en: "Requests", zh: "请求" },
    icon: RequestsIcon,
    page: lazy(() => import("./requests/requests")),
  },
  {
    path: "/usage",
    title: { en: "Usage", zh: "用量" },
    icon: UsageIcon,
    page: lazy(() => import("./usage/usage")),
  },
  {
    path: "/keys",
    title: { en: "Keys", zh: "密钥" },
    icon: KeysIcon,
    page: lazy(() => import("./keys/keys")),
  },
  {
    path: "/settings",
    title: { en: "Settings", zh: "设置" },
    icon: SettingsIcon,
    page: lazy(() => import("./settings/settings")),
  },
]

/** The page that a path belongs to; null where there is none. */
export function findPage(path: string): PageRow | null {
  const first = `/${path.split("/")[1] ?? ""}`
  return PAGES.find((row) => row.path === first) ?? null
}
