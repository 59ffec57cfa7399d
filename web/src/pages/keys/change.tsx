// The form that changes what a key may use.

import { Button, Drawer, Group, Stack } from "@mantine/core"
import { useState, type FormEvent } from "react"
import { api, ApiError, take, type Schemas } from "../../api/client"
import { useChange } from "../../api/queries"
import { defineTexts } from "../../i18n"
import { Failure } from "../../ui/page"
import { readLimits, writeLimits } from "./limits"
import { TermsFields, type Terms } from "./terms"

const useTexts = defineTexts({
  en: { title: (name: string) => `What ${name} may use`, save: "Save", cancel: "Cancel" },
  zh: { title: (name: string) => `${name} 的使用范围`, save: "保存", cancel: "取消" },
})

type Key = Schemas["KeyAnswer"]

export function ChangeKey({ changed, onClose }: { changed: Key | null; onClose: () => void }) {
  const texts = useTexts()
  return (
    <Drawer
      opened={changed !== null}
      onClose={onClose}
      title={changed && texts.title(changed.name)}
      size="lg"
    >
      {changed && <Form gatewayKey={changed} onClose={onClose} />}
    </Drawer>
  )
}

function Form({ gatewayKey: key, onClose }: { gatewayKey: Key; onClose: () => void }) {
  const texts = useTexts()
  const [terms, setTerms] = useState<Terms>({ models: key.models, limits: readLimits(key) })
  const change = useChange((body: Schemas["KeyChange"]) =>
    take(api.PATCH("/admin/keys/{key}", { params: { path: { key: key.id } }, body })),
  )
  const fault = change.error instanceof ApiError ? change.error : null

  function submit(event: FormEvent) {
    event.preventDefault()
    const body = { models: terms.models, ...writeLimits(terms.limits) }
    change.mutate(body, { onSuccess: onClose })
  }

  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TermsFields
          terms={terms}
          onChange={setTerms}
          faultAt={(name) => (fault?.param === name ? fault.message : undefined)}
        />
        {change.isError && !fault?.param && <Failure error={change.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {texts.cancel}
          </Button>
          <Button type="submit" loading={change.isPending}>
            {texts.save}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
