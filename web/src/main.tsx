import "@mantine/core/styles.css"
import "./theme.css"

import { QueryClientProvider } from "@tanstack/react-query"
import { setNonce } from "get-nonce"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { makeQueryClient } from "./api/queries"
import { App } from "./app"
import { Themed } from "./theme"

// Style elements made at run time need the nonce of this page: the gateway admits no others.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ""
setNonce(nonce)

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={makeQueryClient()}>
      <Themed nonce={nonce}>
        <App />
      </Themed>
    </QueryClientProvider>
  </StrictMode>,
)
