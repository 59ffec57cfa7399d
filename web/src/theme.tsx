// The look: calm, dense, one accent. Colours of the two schemes stand in theme.css.

import {
  Badge,
  Button,
  createTheme,
  Drawer,
  localStorageColorSchemeManager,
  MantineProvider,
  mergeThemeOverrides,
  Modal,
  NumberInput,
  PasswordInput,
  Select,
  SegmentedControl,
  Textarea,
  TextInput,
  Tooltip,
  type MantineColorsTuple,
} from "@mantine/core"
import { useMemo, type ReactNode } from "react"
import { defineTexts } from "./i18n"

const useTexts = defineTexts({ en: { close: "Close" }, zh: { close: "关闭" } })

const jade: MantineColorsTuple = [
  "#ecfbf7",
  "#d8f3ec",
  "#b0e6d8",
  "#84d8c3",
  "#5ecbb0",
  "#3fb89b",
  "#23977d",
  "#0f766e",
  "#0d625c",
  "#0a4f4a",
]

const dark: MantineColorsTuple = [
  "#d5dbdc",
  "#b4bcbe",
  "#98a2a5",
  "#6c777a",
  "#3a4446",
  "#2a3335",
  "#1e2628",
  "#171e20",
  "#11171a",
  "#0b1012",
]

const colorSchemeManager = localStorageColorSchemeManager({ key: "dragoman-scheme" })

const theme = createTheme({
  primaryColor: "jade",
  primaryShade: 7,
  colors: { jade, dark },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  headings: { fontWeight: "620" },
  defaultRadius: "md",
  cursorType: "pointer",
  components: {
    Badge: Badge.extend({ defaultProps: { variant: "light", radius: "sm", tt: "none", fw: 500 } }),
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    NumberInput: NumberInput.extend({ defaultProps: { size: "sm", hideControls: true } }),
    PasswordInput: PasswordInput.extend({ defaultProps: { size: "sm" } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { size: "xs" } }),
    Select: Select.extend({ defaultProps: { size: "sm", allowDeselect: false } }),
    Textarea: Textarea.extend({ defaultProps: { size: "sm" } }),
    TextInput: TextInput.extend({ defaultProps: { size: "sm" } }),
    Tooltip: Tooltip.extend({ defaultProps: { withArrow: true, openDelay: 300 } }),
  },
})

/** The theme with the words that Mantine itself needs, in the language of the moment. */
function useTheme() {
  const { close } = useTexts()
  return useMemo(() => {
    const closeButtonProps = { "aria-label": close }
    return mergeThemeOverrides(theme, {
      components: {
        Drawer: Drawer.extend({
          defaultProps: { position: "right", size: "lg", padding: "lg", closeButtonProps },
        }),
        Modal: Modal.extend({ defaultProps: { centered: true, padding: "lg", closeButtonProps } }),
      },
    })
  }, [close])
}

interface ThemedProps {
  /** What admits the style elements that are made at run time. */
  nonce?: string
  children: ReactNode
}

export function Themed({ nonce = "", children }: ThemedProps) {
  return (
    <MantineProvider
      theme={useTheme()}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemeManager}
      getStyleNonce={() => nonce}
      env={import.meta.env.MODE === "test" ? "test" : "default"}
    >
      {children}
    </MantineProvider>
  )
}
