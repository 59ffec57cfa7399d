// A new key, shown this once.

import { Button, Group, Modal, Text } from "@mantine/core"
import type { Schemas } from "../../api/client"
import { defineTexts } from "../../i18n"
import { CopyBlock } from "../../ui/copy"

const useTexts = defineTexts({
  en: {
    title: (name: string) => `The key ${name}`,
    once: "Copy it now: it is not shown again.",
    done: "I have copied it",
  },
  zh: {
    title: (name: string) => `密钥 ${name}`,
    once: "请立即复制,它不会再次显示。",
    done: "我已复制",
  },
})

interface SecretProps {
  issued: Schemas["IssuedKeyAnswer"] | null
  onClose: () => void
}

export function Secret({ issued, onClose }: SecretProps) {
  const texts = useTexts()
  return (
    <Modal
      opened={issued !== null}
      onClose={onClose}
      title={issued && texts.title(issued.name)}
      closeOnClickOutside={false}
      withCloseButton={false}
      size="lg"
    >
      <Text mb="sm">{texts.once}</Text>
      {issued && <CopyBlock text={issued.key} />}
      <Group justify="flex-end" mt="md">
        <Button onClick={onClose}>{texts.done}</Button>
      </Group>
    </Modal>
  )
}
