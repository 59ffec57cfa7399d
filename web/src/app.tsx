// Login or pages, by what the gateway answers.

import { Loader } from "@mantine/core"
import { isLoggedOut, useStatus } from "./api/queries"
import { Login } from "./pages/login/login"
import { Shell } from "./shell"
import { Failure } from "./ui/page"
import styles from "./app.module.css"

export function App() {
  const status = useStatus()
  if (isLoggedOut(status.error)) return <Login />
  if (status.data) return <Shell isReachable={!status.isError} />
  return (
    <main className={styles.middle}>
      {status.isError ? (
        <Failure error={status.error} onRetry={() => void status.refetch()} />
      ) : (
        <Loader size="sm" />
      )}
    </main>
  )
}
