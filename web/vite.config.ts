import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"

const gateway = "http://127.0.0.1:23333"

export default defineConfig({
  // Links are relative, so that the pages also work behind a proxy that puts a prefix in front.
  base: "./",
  plugins: [react()],
  // The gateway replaces this by a new nonce in every page that it sends: see http/ui.py.
  html: { cspNonce: "%NONCE%" },
  build: {
    outDir: "../src/dragoman/http/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
  },
  // `npm run dev` shows the pages as they are edited, with the data of a gateway that runs.
  server: {
    proxy: Object.fromEntries(
      ["/admin", "/v1", "/v1beta", "/health", "/api-docs", "/api-docs.json"].map((path) => [
        path,
        gateway,
      ]),
    ),
  },
})
