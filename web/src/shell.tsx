// The frame of every page: navigation at the side, on narrow screens behind a button.

import { ActionIcon, Anchor, Drawer, Loader } from "@mantine/core"
import { Suspense, useEffect, useState } from "react"
import { api } from "./api/client"
import { useChange, useStatus } from "./api/queries"
import { defineTexts, useLanguage } from "./i18n"
import logo from "./icon.svg"
import { findPage, PAGES } from "./pages/registry"
import { Link, placeUrl, usePlace } from "./router"
import styles from "./shell.module.css"
import { BookIcon, LogOutIcon, MenuIcon } from "./ui/icons"
import { Appearance } from "./ui/appearance"
import { Notice } from "./ui/notice"
import { Empty } from "./ui/page"

const useTexts = defineTexts({
  en: {
    navigation: "Pages",
    open: "Open the navigation",
    close: "Close",
    skip: "Skip to the page",
    api: "API",
    logOut: "Log out",
    lost: "The gateway does not answer. What is shown may be old.",
    nothing: "There is no such page",
    home: "Go home",
  },
  zh: {
    navigation: "页面",
    open: "打开导航",
    close: "关闭",
    skip: "跳到正文",
    api: "API 文档",
    logOut: "退出登录",
    lost: "网关没有响应,显示的内容可能已过时。",
    nothing: "没有这个页面",
    home: "回到首页",
  },
})

export function Shell() {
  const texts = useTexts()
  const isReachable = !useStatus().isError
  const { path } = usePlace()
  const [isOpen, setOpen] = useState(false)
  const row = findPage(path)
  const language = useLanguage()
  useEffect(() => {
    document.title = row ? `${row.title[language]} · Dragoman` : "Dragoman"
    window.scrollTo(0, 0)
  }, [row, language])
  const Current = row?.page

  return (
    <div className={styles.shell}>
      <a
        href="#content"
        className={styles.skip}
        onClick={(event) => {
          event.preventDefault() // the part behind `#` names a page
          document.getElementById("content")?.focus()
        }}
      >
        {texts.skip}
      </a>
      <aside className={styles.side}>
        <Brand />
        <Navigation />
      </aside>
      <header className={styles.bar}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={texts.open}
          onClick={() => setOpen(true)}
        >
          <MenuIcon />
        </ActionIcon>
        <Brand />
      </header>
      <Drawer
        opened={isOpen}
        onClose={() => setOpen(false)}
        position="left"
        size="16rem"
        padding="sm"
        title={<Brand />}
        closeButtonProps={{ "aria-label": texts.close }}
      >
        <Navigation onGo={() => setOpen(false)} />
      </Drawer>
      <main id="content" tabIndex={-1} className={styles.content}>
        {!isReachable && (
          <div className={styles.lost}>
            <Notice tone="warn" role="status">
              {texts.lost}
            </Notice>
          </div>
        )}
        <Suspense fallback={<Loader size="sm" m="xl" />}>
          {Current ? (
            <Current />
          ) : (
            <Empty title={texts.nothing}>
              <Anchor href={placeUrl("/")}>{texts.home}</Anchor>
            </Empty>
          )}
        </Suspense>
      </main>
    </div>
  )
}

function Brand() {
  return (
    <span className={styles.brand}>
      <img src={logo} width={24} height={24} alt="" />
      Dragoman
    </span>
  )
}

function Navigation({ onGo }: { onGo?: () => void }) {
  const texts = useTexts()
  const language = useLanguage()
  const { path } = usePlace()
  const current = findPage(path)
  const logOut = useChange(() => api.POST("/admin/logout"))
  return (
    <>
      <nav aria-label={texts.navigation} className={styles.navigation}>
        {PAGES.map(({ path: to, title, icon: Icon }) => (
          <Link
            key={to}
            to={placeUrl(to)}
            className={styles.entry}
            aria-current={current?.path === to ? "page" : undefined}
            onClick={onGo}
          >
            <Icon />
            {title[language]}
          </Link>
        ))}
      </nav>
      <div className={styles.foot}>
        <a href="api-docs" target="_blank" rel="noreferrer" className={styles.entry}>
          <BookIcon />
          {texts.api}
        </a>
        <button type="button" className={styles.entry} onClick={() => logOut.mutate(undefined)}>
          <LogOutIcon />
          {texts.logOut}
        </button>
        <Appearance />
      </div>
    </>
  )
}
