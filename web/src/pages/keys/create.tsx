// The form for a new key.

import { Button, Checkbox, Drawer, Group, Select, Stack, TextInput } from "@mantine/core"
import { useState, type FormEvent } from "react"
import { api, ApiError, take, type Schemas } from "../../api/client"
import { useChange } from "../../api/queries"
import { defineTexts } from "../../i18n"
import { Failure } from "../../ui/page"
import { NO_LIMITS, writeLimits } from "./limits"
import { TermsFields, type Terms } from "./terms"

const useTexts = defineTexts({
  en: {
    title: "Create a key",
    name: "Name",
    nameAbout: "Whom or what it is for",
    scopes: "Opens",
    inference: "Inference: asking models",
    admin: "Administration: these pages and the management API",
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
    <Drawer opened={isOpen} onClose={onClose} title={texts.title} size="lg">
      <Form onClose={onClose} onCreated={onCreated} />
    </Drawer>
  )
}

interface Wanted extends Terms {
  name: string
  scopes: Scope[]
  expires: string | null
}

const NEW: Wanted = {
  name: "",
  scopes: ["inference"],
  models: [],
  limits: NO_LIMITS,
  expires: null,
}

function Form({ onClose, onCreated }: Omit<CreateKeyProps, "isOpen">) {
  const texts = useTexts()
  const [wanted, setWanted] = useState(NEW)
  const create = useChange((body: KeyRequest) => take(api.POST("/admin/keys", { body })))
  const fault = create.error instanceof ApiError ? create.error : null
  const faultAt = (name: string) => (fault?.param === name ? fault.message : undefined)

  function change(changed: Partial<Wanted>) {
    setWanted({ ...wanted, ...changed })
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    const { limits, ...rest } = wanted
    create.mutate({ ...rest, ...writeLimits(limits) }, { onSuccess: onCreated })
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
        <TermsFields terms={wanted} onChange={change} faultAt={faultAt} />
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
