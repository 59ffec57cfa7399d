// A question before something that cannot be undone.

import { Button, Group, Modal, Text } from "@mantine/core"
import { useState, type ReactNode } from "react"
import { defineTexts } from "../i18n"
import { Failure } from "./page"

const useTexts = defineTexts({
  en: { cancel: "Cancel" },
  zh: { cancel: "取消" },
})

interface ConfirmProps {
  question: string
  explanation: string
  action: string
  onConfirm: () => Promise<unknown>
  /** The control that asks; it gets what opens the question. */
  children: (ask: () => void) => ReactNode
}

export function Confirm({ question, explanation, action, onConfirm, children }: ConfirmProps) {
  const texts = useTexts()
  const [isOpen, setOpen] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)

  function ask() {
    setError(null)
    setOpen(true)
  }

  async function confirm() {
    setBusy(true)
    try {
      await onConfirm()
      setOpen(false)
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }

  return (
    <>
      {children(ask)}
      <Modal opened={isOpen} onClose={() => setOpen(false)} title={question}>
        <Text mb="md">{explanation}</Text>
        {error !== null && <Failure error={error} />}
        <Group justify="flex-end" mt="md" gap="xs">
          <Button variant="default" onClick={() => setOpen(false)} data-autofocus>
            {texts.cancel}
          </Button>
          <Button color="red" loading={isBusy} onClick={() => void confirm()}>
            {action}
          </Button>
        </Group>
      </Modal>
    </>
  )
}
