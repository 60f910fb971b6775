import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface Image {
  /** Where the image's `/app` is. */
  folder: string
  env: Record<string, string>
  /** Null: root. */
  user: string | null
  healthcheck: string[]
  command: string[]
}

interface Options {
  /** The folder that Docker would be sent. */
  context: string
  /** In which a stage runs its commands. */
  env: NodeJS.ProcessEnv
  /** Does a command in another way; answers whether it did. */
  instead?(command: string, folder: string): boolean
}

/**
 * Carries a Dockerfile out without Docker, as far as it goes: each stage is a folder, COPY copies, RUN runs on this
 * machine. What needs an image of its own (its base, its users, its limits) is not there.
 */
export function build(dockerfile: string, { context, env, instead = () => false }: Options): Image {
  const work = mkdtempSync(join(tmpdir(), 'millrace-image-'))
  // The image's user is not the one who builds.
  chmodSync(work, 0o755)
  const stages = new Map<string, string>()
  let image: Image = { folder: '', env: {}, user: null, healthcheck: [], command: [] }
  for (const { name, rest } of instructions(readFileSync(dockerfile, 'utf8'))) {
    if (name === 'FROM') {
      const [base = '', , stage = 'last'] = rest.split(/\s+/)
      image = { ...image, folder: join(work, stage, 'app'), env: {}, user: null }
      mkdirSync(image.folder, { recursive: true })
      const from = stages.get(base)
      if (from) link(from, image.folder)
      stages.set(stage, image.folder)
    } else if (name === 'COPY') copy(rest, { context, stages, to: image.folder })
    else if (name === 'RUN') {
      if (!instead(rest, image.folder))
        run('sh', ['-ec', rest], { cwd: image.folder, env: { ...env, ...image.env } })
    } else if (name === 'ENV') Object.assign(image.env, Object.fromEntries(rest.split(' ').map(readPair)))
    else if (name === 'USER') image.user = rest
    else if (name === 'HEALTHCHECK') image.healthcheck = JSON.parse(/CMD (\[.*\])/.exec(rest)?.[1] ?? '[]')
    else if (name === 'CMD') image.command = JSON.parse(rest)
    else if (name === 'WORKDIR' && rest !== '/app')
      throw new Error(`WORKDIR ${rest}: only /app is known here`)
    else if (!['WORKDIR', 'VOLUME', 'EXPOSE'].includes(name)) throw new Error(`${name} is not known here`)
  }
  return image
}

function instructions(text: string): { name: string; rest: string }[] {
  const lines = text.replaceAll(/\\\n/g, ' ').split('\n')
  return lines
    .filter(line => line.trim() !== '' && !line.startsWith('#'))
    .map(line => {
      const [name = '', ...rest] = line.split(' ')
      return { name, rest: rest.join(' ').trim() }
    })
}

function readPair(pair: string): [string, string] {
  const [name = '', ...value] = pair.split('=')
  return [name, value.join('=')]
}

/** A folder is copied by its contents, as Docker does; a file into a path that ends with a slash. */
function copy(rest: string, places: { context: string; stages: Map<string, string>; to: string }): void {
  const words = rest.split(/\s+/)
  const stage = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
  const target = words.pop() ?? ''
  const from = stage === undefined ? places.context : places.stages.get(stage)
  if (from === undefined) throw new Error(`COPY ${rest}: there is no stage ${stage}`)
  for (const source of words) {
    const path = join(from, stage === undefined ? source : source.replace(/^\/app/, ''))
    if (!existsSync(path)) throw new Error(`COPY ${rest}: there is no ${source}`)
    const isInto = target.endsWith('/') && !source.endsWith('/app')
    const to = join(places.to, target, isInto ? (source.split('/').at(-1) ?? '') : '')
    mkdirSync(dirname(to), { recursive: true })
    cpSync(path, to, { recursive: true, verbatimSymlinks: true })
  }
}

/** A copy that takes no room, where both are on one disk. Without caches: somebody may be writing them. */
export function link(from: string, to: string): void {
  const paths = readdirSync(from)
    .filter(name => name !== '.cache')
    .map(name => join(from, name))
  const isOneDisk = statSync(from).dev === statSync(to).dev
  if (paths.length > 0) run('cp', [isOneDisk ? '-al' : '-a', ...paths, to])
}

export function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  try {
    return execFileSync(command, args, { ...options, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}
