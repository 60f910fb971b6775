// Ends with 0 when the server at PORT says that it and its store are well.
const url = `http://127.0.0.1:${process.env.PORT ?? 3000}/health`
const answer = await fetch(url, { signal: AbortSignal.timeout(4_000) }).catch(error => error)
if (!answer.ok) console.error(`${url}: ${answer.status ?? answer.cause?.code ?? answer.message}`)
process.exitCode = answer.ok ? 0 : 1
