// What holds and where it comes from, and what this browser remembers.

import { Anchor, Badge, Text } from "@mantine/core"
import type { Schemas } from "../../api/client"
import { useSettings, useStatus } from "../../api/queries"
import { formatTime } from "../../format"
import { defineTexts } from "../../i18n"
import { LanguageControl, SchemeControl } from "../../ui/appearance"
import { CopyLine } from "../../ui/copy"
import { Notice } from "../../ui/notice"
import { Fact, Facts, Loaded, Page, Panel } from "../../ui/page"
import styles from "./settings.module.css"

const useTexts = defineTexts({
  en: {
    title: "Settings",
    browser: "This browser",
    language: "Language",
    scheme: "Colours",
    gateway: "Gateway",
    version: "Version",
    started: "Started",
    file: "Configuration file",
    noFile: "There is none: what is not in the environment is at its default.",
    data: "Data directory",
    database: "Database",
    api: "API",
    apiLink: "Every path, with its parameters and examples",
    effective: "Effective settings",
    effectiveAbout: "A change in the file holds at once; what needs a restart is marked then.",
    loaded: "Read",
    refused: "The file was changed, and the change was refused. What was read before still holds.",
    restart: "needs a restart",
    isDefault: "default",
    unset: "not set",
    server: "Server",
    local: "Embedded models",
    aliases: "Aliases",
  },
  zh: {
    title: "设置",
    browser: "此浏览器",
    language: "语言",
    scheme: "配色",
    gateway: "网关",
    version: "版本",
    started: "启动时间",
    file: "配置文件",
    noFile: "没有配置文件:不在环境变量中的设置都是默认值。",
    data: "数据目录",
    database: "数据库",
    api: "API",
    apiLink: "全部路径及其参数与示例",
    effective: "生效的设置",
    effectiveAbout: "修改文件后立即生效;需要重启的设置会被标出。",
    loaded: "读取时间",
    refused: "文件有改动但被拒绝,之前读取的设置仍然有效。",
    restart: "需要重启",
    isDefault: "默认",
    unset: "未设置",
    server: "服务器",
    local: "内置模型",
    aliases: "别名",
  },
})

type Setting = Schemas["SettingAnswer"]

export default function Settings() {
  const texts = useTexts()
  return (
    <Page title={texts.title}>
      <Panel title={texts.browser}>
        <Facts>
          <Fact name={texts.language}>
            <LanguageControl />
          </Fact>
          <Fact name={texts.scheme}>
            <SchemeControl />
          </Fact>
        </Facts>
      </Panel>
      <Gateway />
      <Effective />
    </Page>
  )
}

function Gateway() {
  const texts = useTexts()
  const status = useStatus()
  return (
    <Panel title={texts.gateway}>
      <Loaded query={status}>
        {(data) => (
          <Facts>
            <Fact name={texts.version}>{data.version}</Fact>
            <Fact name={texts.started}>{formatTime(data.started_at)}</Fact>
            <Fact name={texts.file}>
              {data.config_file ? <CopyLine text={data.config_file} /> : texts.noFile}
            </Fact>
            {data.config_file && (
              <Fact name={texts.loaded}>{formatTime(data.configuration.loaded_at)}</Fact>
            )}
            <Fact name={texts.data}>
              <CopyLine text={data.data_dir} />
            </Fact>
            <Fact name={texts.database}>{data.database}</Fact>
            <Fact name={texts.api}>
              <Anchor href="api-docs" target="_blank" rel="noreferrer">
                {texts.apiLink}
              </Anchor>
            </Fact>
          </Facts>
        )}
      </Loaded>
    </Panel>
  )
}

function Effective() {
  const texts = useTexts()
  const settings = useSettings()
  const configuration = useStatus().data?.configuration
  return (
    <Panel title={texts.effective} about={texts.effectiveAbout}>
      {configuration?.refusal && (
        <Notice tone="bad" title={texts.refused}>
          {configuration.refusal}
        </Notice>
      )}
      <Loaded query={settings}>
        {(data) => (
          <>
            {[...groupSettings(data.settings)].map(([table, members]) => (
              <section key={table}>
                <Text className={styles.table} component="h3">
                  {table === "server" || table === "local" || table === "aliases"
                    ? texts[table]
                    : table}
                </Text>
                <dl className={styles.settings}>
                  {members.map((setting) => (
                    <Row
                      key={setting.name}
                      setting={setting}
                      needsRestart={configuration?.needs_restart.includes(setting.name) ?? false}
                    />
                  ))}
                </dl>
              </section>
            ))}
          </>
        )}
      </Loaded>
    </Panel>
  )
}

function Row({ setting, needsRestart }: { setting: Setting; needsRestart: boolean }) {
  const texts = useTexts()
  const isDefault = setting.origin === "default"
  return (
    <div className={styles.setting}>
      <dt>{setting.name.slice(setting.name.indexOf(".") + 1)}</dt>
      <dd>
        {setting.value === null ? (
          <Text span c="dimmed">
            {texts.unset}
          </Text>
        ) : (
          <code>{writeValue(setting.value)}</code>
        )}
      </dd>
      <dd className={styles.marks}>
        {needsRestart && <Badge color="orange">{texts.restart}</Badge>}
        <Badge color={isDefault ? "gray" : "jade"} maw="100%">
          {isDefault ? texts.isDefault : setting.origin}
        </Badge>
      </dd>
    </div>
  )
}

/** Settings by their table of the configuration file, in its order. */
export function groupSettings(settings: Setting[]): Map<string, Setting[]> {
  const tables = new Map<string, Setting[]>()
  for (const setting of settings) {
    const table = setting.name.split(".", 1)[0]!
    tables.set(table, [...(tables.get(table) ?? []), setting])
  }
  return tables
}

/** A value on one line, as the file would have it or nearly so. */
export function writeValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value)
}
