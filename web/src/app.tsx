// Login or pages, by what the gateway answers.

import { Loader } from "@mantine/core"
import { useSession } from "./api/queries"
import styles from "./app.module.css"
import { Login } from "./pages/login/login"
import { Shell } from "./shell"
import { Failure } from "./ui/page"

export function App() {
  const session = useSession()
  if (session.data === true) return <Shell />
  if (session.data === false) return <Login />
  return (
    <main className={styles.middle}>
      {session.isError ? (
        <Failure error={session.error} onRetry={() => void session.refetch()} />
      ) : (
        <Loader size="sm" />
      )}
    </main>
  )
}
