// Icons of the pages' own: strokes on a grid of 24, in the colour of the text around them.

import type { ReactNode } from "react"

export interface IconProps {
  size?: number
}

function draw(strokes: ReactNode) {
  return function Icon({ size = 18 }: IconProps) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        strokeWidth={1.7}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        {strokes}
      </svg>
    )
  }
}

const line = (d: string) => <path d={d} />

export const HomeIcon = draw(line("M4 11.5 12 4l8 7.5M6 10v10h4.5v-6h3v6H18V10"))
export const ProvidersIcon = draw(
  <>
    <rect x="3.5" y="4" width="17" height="6.5" rx="1.5" />
    <rect x="3.5" y="13.5" width="17" height="6.5" rx="1.5" />
    {line("M7 7.25h.01M7 16.75h.01M11 7.25h6M11 16.75h6")}
  </>,
)
export const ModelsIcon = draw(
  line("M12 3.5 20 8v8l-8 4.5L4 16V8l8-4.5ZM4.3 8.2 12 12.5l7.7-4.3M12 12.5v7.7"),
)
export const KeysIcon = draw(
  <>
    <circle cx="8" cy="15.5" r="4.5" />
    {line("M11.3 12.2 20 3.5M16 7.5l3 3M13.2 10.3l2 2")}
  </>,
)
export const SettingsIcon = draw(
  <>
    {line("M4 7h9M19 7h1M4 17h3M13 17h7")}
    <circle cx="16" cy="7" r="2.5" />
    <circle cx="10" cy="17" r="2.5" />
  </>,
)
export const PlaygroundIcon = draw(line("M4 5h16v11h-8l-5 4v-4H4V5ZM8.5 9h7M8.5 12h4"))
export const RequestsIcon = draw(line("M4 6h16M4 12h10M4 18h13"))
export const UsageIcon = draw(line("M4 20h16M7 20v-7M12 20V5M17 20v-10"))
export const CopyIcon = draw(
  <>
    <rect x="8.5" y="8.5" width="11" height="11" rx="2" />
    {line("M15.5 8.5V6.5a2 2 0 0 0-2-2h-7a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h2")}
  </>,
)
export const CheckIcon = draw(line("m5 12.5 4.5 4.5L19 7.5"))
export const EyeIcon = draw(
  <>
    {line("M2.5 12s3.5-6 9.5-6 9.5 6 9.5 6-3.5 6-9.5 6-9.5-6-9.5-6Z")}
    <circle cx="12" cy="12" r="2.75" />
  </>,
)
export const EyeOffIcon = draw(
  line(
    "M4 4l16 16M9.9 6.2A9.7 9.7 0 0 1 12 6c6 0 9.5 6 9.5 6a16 16 0 0 1-2.6 3.2M6.3 7.8A15.6 15.6 0 0 0 2.5 12s3.5 6 9.5 6a9.3 9.3 0 0 0 4-.9",
  ),
)
export const RotateIcon = draw(line("M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15"))
export const PlusIcon = draw(line("M12 5v14M5 12h14"))
export const SearchIcon = draw(
  <>
    <circle cx="10.5" cy="10.5" r="6" />
    {line("m15 15 5 5")}
  </>,
)
export const TrashIcon = draw(
  line("M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10.5 11v5M13.5 11v5"),
)
export const WarningIcon = draw(line("M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 17h.01"))
export const LinkIcon = draw(line("M9 5H5v14h14v-4M13 5h6v6M19 5l-9 9"))
export const LockIcon = draw(
  <>
    <rect x="5" y="10.5" width="14" height="9.5" rx="2" />
    {line("M8 10.5V8a4 4 0 0 1 8 0v2.5")}
  </>,
)
export const MenuIcon = draw(line("M4 7h16M4 12h16M4 17h16"))
export const SunIcon = draw(
  <>
    <circle cx="12" cy="12" r="4" />
    {line("M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4")}
  </>,
)
export const MoonIcon = draw(line("M19.5 14A8 8 0 0 1 10 4.5 8 8 0 1 0 19.5 14Z"))
export const ScreenIcon = draw(
  <>
    <rect x="3.5" y="5" width="17" height="11" rx="1.5" />
    {line("M9 20h6M12 16v4")}
  </>,
)
export const LogOutIcon = draw(line("M14 5H5v14h9M10 12h10M16.5 8.5 20 12l-3.5 3.5"))
export const ChevronIcon = draw(line("m9 6 6 6-6 6"))
export const BackIcon = draw(line("m14 6-6 6 6 6"))
export const BookIcon = draw(
  line(
    "M5 5.5A1.5 1.5 0 0 1 6.5 4H19v13H6.5A1.5 1.5 0 0 0 5 18.5m0-13v13A1.5 1.5 0 0 0 6.5 20H19v-3",
  ),
)
export const SortIcon = draw(line("m8 10 4-4 4 4M8 14l4 4 4-4"))
export const UpIcon = draw(line("m7 14 5-5 5 5"))
export const DownIcon = draw(line("m7 10 5 5 5-5"))
