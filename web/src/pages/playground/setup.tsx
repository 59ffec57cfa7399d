// What holds for every request of the playground: protocol, system prompt, parameters, tools.

import { JsonInput, NumberInput, Select, Switch, Textarea } from "@mantine/core"
import { defineTexts } from "../../i18n"
import { Panel } from "../../ui/page"
import { PROTOCOLS, type Protocol, type Setup } from "./conversation"
import styles from "./playground.module.css"

const useTexts = defineTexts({
  en: {
    title: "Request",
    protocol: "Protocol",
    system: "System prompt",
    temperature: "Temperature",
    topP: "Top P",
    maxTokens: "Max tokens",
    stream: "Stream",
    tools: "Tools",
    toolsAbout: "A JSON list, in any protocol's form",
    extra: "More members",
    extraAbout: "A JSON object that is put into the body",
    invalid: "This is not JSON",
    byHand: "Write the body by hand",
  },
  zh: {
    title: "请求",
    protocol: "协议",
    system: "系统提示词",
    temperature: "温度",
    topP: "Top P",
    maxTokens: "最多 token 数",
    stream: "流式",
    tools: "工具",
    toolsAbout: "JSON 列表,任何协议的格式均可",
    extra: "其他字段",
    extraAbout: "合并到请求体的 JSON 对象",
    invalid: "不是有效的 JSON",
    byHand: "手动编写请求体",
  },
})

const PROTOCOL_NAMES: Record<Protocol, string> = {
  chat: "OpenAI Chat Completions",
  responses: "OpenAI Responses",
  messages: "Anthropic Messages",
  gemini: "Gemini",
}

interface SetupPanelProps {
  protocol: Protocol
  onProtocol: (protocol: Protocol) => void
  setup: Setup
  onChange: (changed: Partial<Setup>) => void
  isByHand: boolean
  onByHand: (byHand: boolean) => void
}

export function SetupPanel(props: SetupPanelProps) {
  const { protocol, onProtocol, setup, onChange, isByHand, onByHand } = props
  const texts = useTexts()
  return (
    <Panel title={texts.title}>
      <div className={styles.setup}>
        <Select
          label={texts.protocol}
          data={PROTOCOLS.map((value) => ({ value, label: PROTOCOL_NAMES[value] }))}
          value={protocol}
          onChange={(value) => onProtocol(value as Protocol)}
        />
        <Switch
          label={texts.stream}
          checked={setup.stream}
          onChange={(event) => onChange({ stream: event.currentTarget.checked })}
        />
        <Switch
          label={texts.byHand}
          checked={isByHand}
          onChange={(event) => onByHand(event.currentTarget.checked)}
        />
        {!isByHand && <Parameters setup={setup} onChange={onChange} />}
      </div>
    </Panel>
  )
}

function Parameters({ setup, onChange }: Pick<SetupPanelProps, "setup" | "onChange">) {
  const texts = useTexts()
  const number = (name: "temperature" | "topP" | "maxTokens", most?: number) => (
    <NumberInput
      label={texts[name]}
      value={setup[name]}
      min={0}
      max={most}
      onChange={(value) => onChange({ [name]: typeof value === "number" ? value : "" })}
    />
  )
  const json = (name: "tools" | "extra", about: string, placeholder: string) => (
    <JsonInput
      label={texts[name]}
      description={about}
      placeholder={placeholder}
      validationError={texts.invalid}
      formatOnBlur
      autosize
      minRows={2}
      maxRows={12}
      value={setup[name]}
      onChange={(value) => onChange({ [name]: value })}
    />
  )
  return (
    <>
      <Textarea
        label={texts.system}
        autosize
        minRows={2}
        maxRows={10}
        value={setup.system}
        onChange={(event) => onChange({ system: event.currentTarget.value })}
      />
      <div className={styles.numbers}>
        {number("temperature", 2)}
        {number("topP", 1)}
        {number("maxTokens")}
      </div>
      {json("tools", texts.toolsAbout, '[{"name": "weather", "parameters": {}}]')}
      {json("extra", texts.extraAbout, '{"seed": 1}')}
    </>
  )
}
