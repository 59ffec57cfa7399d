// The fields of a provider, alike for a new one and for one that is changed.

import {
  ActionIcon,
  Anchor,
  Button,
  Collapse,
  Group,
  Input,
  PasswordInput,
  Stack,
  TagsInput,
  TextInput,
} from "@mantine/core"
import { useState } from "react"
import { defineTexts } from "../../i18n"
import { PlusIcon, TrashIcon } from "../../ui/icons"
import type { Draft } from "./draft"
import styles from "./providers.module.css"

const useTexts = defineTexts({
  en: {
    id: "Id",
    idAbout: "The part before the colon in the names of its models; it stays as it is.",
    name: "Name",
    address: "Base URL",
    keys: "API keys",
    nthKey: (count: number) => `API key ${count}`,
    keysAbout: "Several keys take turns and stand in for each other.",
    show: (count: number) => `Show key ${count}`,
    getKey: "Get a key",
    addKey: "Add a key",
    removeKey: (count: number) => `Remove key ${count}`,
    more: "More",
    models: "Models",
    modelsAbout: "Only these. Left empty, the provider is asked for them.",
    proxy: "Proxy",
    proxyAbout: "URL of an HTTP proxy for this provider",
  },
  zh: {
    id: "标识",
    idAbout: "模型名称中冒号之前的部分,之后不可更改。",
    name: "名称",
    address: "基础 URL",
    keys: "API 密钥",
    nthKey: (count: number) => `API 密钥 ${count}`,
    keysAbout: "多个密钥轮流使用,互为备用。",
    show: (count: number) => `显示密钥 ${count}`,
    getKey: "获取密钥",
    addKey: "添加密钥",
    removeKey: (count: number) => `移除密钥 ${count}`,
    more: "更多",
    models: "模型",
    modelsAbout: "只提供这些。留空则向服务商查询。",
    proxy: "代理",
    proxyAbout: "此服务商使用的 HTTP 代理 URL",
  },
})

interface FieldsProps {
  draft: Draft
  onChange: (changed: Partial<Draft>) => void
  isNew: boolean
  /** What an address looks like, and what a name is without one of its own. */
  example: string
  usualName: string
  keyUrl?: string
  /** What the gateway refused, by the name of the member. */
  fault?: { param: string | null; message: string } | null
}

export function Fields({ draft, onChange, isNew, example, usualName, keyUrl, fault }: FieldsProps) {
  const texts = useTexts()
  const [isMore, setMore] = useState(draft.models.length > 0 || draft.proxy !== "")
  const faultAt = (...names: string[]) =>
    fault?.param && names.includes(fault.param) ? fault.message : undefined

  return (
    <Stack gap="md">
      {isNew && (
        <TextInput
          label={texts.id}
          description={texts.idAbout}
          value={draft.id}
          onChange={(event) => onChange({ id: event.currentTarget.value })}
          error={faultAt("id")}
          spellCheck={false}
          required
        />
      )}
      <TextInput
        label={texts.name}
        placeholder={usualName}
        value={draft.name}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
        error={faultAt("name")}
      />
      <TextInput
        label={texts.address}
        placeholder={example}
        value={draft.baseUrl}
        onChange={(event) => onChange({ baseUrl: event.currentTarget.value })}
        error={faultAt("base_url", "base_urls")}
        type="url"
        spellCheck={false}
      />
      <KeyFields
        keys={draft.keys}
        onChange={(keys) => onChange({ keys })}
        keyUrl={keyUrl}
        error={faultAt("api_key", "api_keys")}
      />
      <Button
        variant="subtle"
        color="gray"
        size="compact-sm"
        aria-expanded={isMore}
        onClick={() => setMore(!isMore)}
        style={{ alignSelf: "start" }}
      >
        {texts.more}
      </Button>
      <Collapse expanded={isMore}>
        <Stack gap="md">
          <TagsInput
            label={texts.models}
            description={texts.modelsAbout}
            value={draft.models}
            onChange={(models) => onChange({ models })}
            error={faultAt("models")}
          />
          <TextInput
            label={texts.proxy}
            description={texts.proxyAbout}
            value={draft.proxy}
            onChange={(event) => onChange({ proxy: event.currentTarget.value })}
            error={faultAt("proxy")}
            spellCheck={false}
          />
        </Stack>
      </Collapse>
    </Stack>
  )
}

/** Stored keys come masked, and no key has such a character in it. */
function isMask(key: string): boolean {
  return key.includes("…")
}

interface KeyFieldsProps {
  keys: string[]
  onChange: (keys: string[]) => void
  keyUrl?: string
  error?: string
}

function KeyFields({ keys, onChange, keyUrl, error }: KeyFieldsProps) {
  const texts = useTexts()
  return (
    <Stack gap={6}>
      <Input.Label labelElement="div">{texts.keys}</Input.Label>
      {keys.map((key, position) => (
        <Group key={position} gap={4} wrap="nowrap">
          {isMask(key) ? (
            <code className={styles.storedKey}>{key}</code>
          ) : (
            <PasswordInput
              aria-label={texts.nthKey(position + 1)}
              value={key}
              onChange={(event) => onChange(keys.with(position, event.currentTarget.value))}
              error={position === 0 ? error : undefined}
              visibilityToggleButtonProps={{ "aria-label": texts.show(position + 1) }}
              autoComplete="off"
              spellCheck={false}
              style={{ flex: 1 }}
            />
          )}
          {(keys.length > 1 || isMask(key)) && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={texts.removeKey(position + 1)}
              onClick={() => onChange(keys.toSpliced(position, 1))}
            >
              <TrashIcon size={16} />
            </ActionIcon>
          )}
        </Group>
      ))}
      <Group gap="md">
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<PlusIcon size={14} />}
          onClick={() => onChange([...keys, ""])}
          title={texts.keysAbout}
        >
          {texts.addKey}
        </Button>
        {keyUrl && (
          <Anchor size="sm" href={keyUrl} target="_blank" rel="noreferrer">
            {texts.getKey}
          </Anchor>
        )}
      </Group>
    </Stack>
  )
}
