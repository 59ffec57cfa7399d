// The form for a new key.

import { Button, Checkbox, Drawer, Group, Select, Stack, TagsInput, TextInput } from "@mantine/core"
import { useState, type FormEvent } from "react"
import { api, ApiError, take, type Schemas } from "../../api/client"
import { useChange, useModels, useProviders } from "../../api/queries"
import { defineTexts } from "../../i18n"
import { Failure } from "../../ui/page"

const useTexts = defineTexts({
  en: {
    title: "Create a key",
    name: "Name",
    nameAbout: "Whom or what it is for",
    scopes: "Opens",
    inference: "Inference: asking models",
    admin: "Administration: these pages and the management API",
    models: "Models",
    modelsAbout: "Patterns such as anthropic:*, or aliases. None means every model.",
    expires: "Ends",
    never: "never",
    day: "in a day",
    week: "in a week",
    month: "in 30 days",
    year: "in a year",
    create: "Create",
    cancel: "Cancel",
  },
  zh: {
    title: "创建密钥",
    name: "名称",
    nameAbout: "给谁或什么使用",
    scopes: "权限",
    inference: "推理:调用模型",
    admin: "管理:这些页面与管理 API",
    models: "模型",
    modelsAbout: "模式如 anthropic:*,或别名。留空表示全部模型。",
    expires: "到期",
    never: "永不",
    day: "一天后",
    week: "一周后",
    month: "30 天后",
    year: "一年后",
    create: "创建",
    cancel: "取消",
  },
})

type KeyRequest = Schemas["KeyRequest"]
type Scope = Schemas["Scope"]

interface CreateKeyProps {
  isOpen: boolean
  onClose: () => void
  onCreated: (key: Schemas["IssuedKeyAnswer"]) => void
}

export function CreateKey({ isOpen, onClose, onCreated }: CreateKeyProps) {
  const texts = useTexts()
  return (
    <Drawer opened={isOpen} onClose={onClose} title={texts.title} size="md">
      <Form onClose={onClose} onCreated={onCreated} />
    </Drawer>
  )
}

type Wanted = Required<Pick<KeyRequest, "name" | "scopes" | "models">> & KeyRequest

const NEW: Wanted = { name: "", scopes: ["inference"], models: [] }

function Form({ onClose, onCreated }: Omit<CreateKeyProps, "isOpen">) {
  const texts = useTexts()
  const [wanted, setWanted] = useState(NEW)
  const patterns = usePatterns()
  const create = useChange((body: KeyRequest) => take(api.POST("/admin/keys", { body })))
  const fault = create.error instanceof ApiError ? create.error : null
  const faultAt = (name: keyof KeyRequest) => (fault?.param === name ? fault.message : undefined)

  function change(changed: Partial<Wanted>) {
    setWanted({ ...wanted, ...changed })
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    create.mutate(wanted, { onSuccess: onCreated })
  }

  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          label={texts.name}
          description={texts.nameAbout}
          value={wanted.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
          error={faultAt("name")}
          maxLength={100}
          required
          data-autofocus
        />
        <Checkbox.Group
          label={texts.scopes}
          value={wanted.scopes}
          onChange={(scopes) => change({ scopes: scopes as Scope[] })}
          error={faultAt("scopes")}
        >
          <Stack gap={6} mt={4}>
            <Checkbox value="inference" label={texts.inference} />
            <Checkbox value="admin" label={texts.admin} />
          </Stack>
        </Checkbox.Group>
        <TagsInput
          label={texts.models}
          description={texts.modelsAbout}
          data={patterns}
          limit={100}
          value={wanted.models}
          onChange={(models) => change({ models })}
          error={faultAt("models")}
          clearable
        />
        <Select
          label={texts.expires}
          data={[
            { value: "", label: texts.never },
            { value: "1d", label: texts.day },
            { value: "1w", label: texts.week },
            { value: "30d", label: texts.month },
            { value: "365d", label: texts.year },
          ]}
          value={wanted.expires ?? ""}
          onChange={(expires) => change({ expires: expires || null })}
          error={faultAt("expires")}
        />
        {create.isError && !fault?.param && <Failure error={create.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {texts.cancel}
          </Button>
          <Button
            type="submit"
            loading={create.isPending}
            disabled={!wanted.name.trim() || wanted.scopes.length === 0}
          >
            {texts.create}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** What a key may be limited to: whole providers, aliases, single models. */
function usePatterns(): string[] {
  const providers = useProviders()
  const models = useModels()
  return [
    ...(providers.data?.providers ?? []).map((provider) => `${provider.id}:*`),
    ...(models.data?.aliases ?? []).map((alias) => alias.name),
    ...(models.data?.models ?? []).map((model) => model.id),
  ]
}
