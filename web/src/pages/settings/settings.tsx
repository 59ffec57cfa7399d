// What holds and where it comes from, and what this browser remembers.

import { Anchor, Badge, Text } from "@mantine/core"
import type { Schemas } from "../../api/client"
import { useSettings, useStatus } from "../../api/queries"
import { formatTime } from "../../format"
import { defineTexts } from "../../i18n"
import { LanguageControl, SchemeControl } from "../../ui/appearance"
import { CopyLine } from "../../ui/copy"
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
    effectiveAbout: "Read at the start: change where they come from, then start the gateway again.",
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
    effectiveAbout: "启动时读取:在来源处修改后,重新启动网关。",
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
  return (
    <Panel title={texts.effective} about={texts.effectiveAbout}>
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
                    <Row key={setting.name} setting={setting} />
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

function Row({ setting }: { setting: Setting }) {
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
      <dd>
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
