// Where the next message is written, with images.

import { Button, CloseButton, FileButton, Group, Textarea } from "@mantine/core"
import { useState } from "react"
import { defineTexts } from "../../i18n"
import type { UserTurn } from "./conversation"
import styles from "./playground.module.css"

const useTexts = defineTexts({
  en: {
    message: "Message",
    hint: "Enter sends, Shift+Enter begins a new line",
    attach: "Add images",
    remove: "Remove the image",
    send: "Send",
    stop: "Stop",
    image: "Image to send",
  },
  zh: {
    message: "消息",
    hint: "Enter 发送,Shift+Enter 换行",
    attach: "添加图片",
    remove: "移除图片",
    send: "发送",
    stop: "停止",
    image: "待发送的图片",
  },
})

interface ComposerProps {
  isBusy: boolean
  canSend: boolean
  /** The body that is written by hand; null where messages are. */
  body: string | null
  onBody: (body: string) => void
  onSend: (turn: UserTurn) => void
  onStop: () => void
}

export function Composer({ isBusy, canSend, body, onBody, onSend, onStop }: ComposerProps) {
  const texts = useTexts()
  const [text, setText] = useState("")
  const [images, setImages] = useState<string[]>([])
  const isReady = canSend && (body !== null || text.trim() !== "" || images.length > 0)

  function submit() {
    if (!isReady || isBusy) return
    onSend({ role: "user", text, images })
    setText("")
    setImages([])
  }

  async function attach(files: File[]) {
    const urls = await Promise.all(files.map(readDataUrl))
    setImages((known) => [...known, ...urls])
  }

  return (
    <form
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      {images.length > 0 && (
        <Group gap="xs">
          {images.map((url, index) => (
            <span key={index} className={styles.attached}>
              <img src={url} alt={texts.image} className={styles.image} />
              <CloseButton
                size="sm"
                aria-label={texts.remove}
                onClick={() => setImages(images.filter((_, at) => at !== index))}
              />
            </span>
          ))}
        </Group>
      )}
      {body === null ? (
        <Textarea
          aria-label={texts.message}
          placeholder={`${texts.message} · ${texts.hint}`}
          autosize
          minRows={2}
          maxRows={10}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
              event.preventDefault()
              submit()
            }
          }}
          data-autofocus
        />
      ) : (
        <Textarea
          aria-label="JSON"
          autosize
          minRows={6}
          maxRows={24}
          value={body}
          onChange={(event) => onBody(event.currentTarget.value)}
          classNames={{ input: styles.code }}
          spellCheck={false}
        />
      )}
      <Group justify="space-between">
        {body === null ? (
          <FileButton accept="image/*" multiple onChange={(files) => void attach(files)}>
            {(props) => (
              <Button {...props} variant="default">
                {texts.attach}
              </Button>
            )}
          </FileButton>
        ) : (
          <span />
        )}
        {isBusy ? (
          <Button variant="default" onClick={onStop}>
            {texts.stop}
          </Button>
        ) : (
          <Button type="submit" disabled={!isReady}>
            {texts.send}
          </Button>
        )}
      </Group>
    </form>
  )
}

function readDataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result as string)
    reader.onerror = () => reject(reader.error ?? new Error(file.name))
    reader.readAsDataURL(file)
  })
}
