import { redirect } from 'next/navigation'
import { greet, queue } from '../lib/queue'

async function enqueue(form: FormData) {
  'use server'
  const millrace = await queue.millrace()
  const { id } = await millrace.enqueue(greet, { name: String(form.get('name')) })
  redirect(`/?id=${id}`)
}

export default async function Page({ searchParams }: { searchParams: Promise<{ id?: string }> }) {
  const { id } = await searchParams
  const job = id ? await (await queue.millrace()).get(id) : null
  return (
    <main>
      <form action={enqueue}>
        <input name="name" defaultValue="Ada" />
        <button type="submit">Greet</button>
      </form>
      {job && (
        <p data-job={job.id}>
          {job.shown} {String(job.result ?? '')}
        </p>
      )}
    </main>
  )
}
