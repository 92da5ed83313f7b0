import type { Command } from 'commander';

/** Shells for which there is a script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What can be completed at one place of the command line. */
interface Completable {
  readonly name: string;
  readonly doc: string;
  readonly options: readonly {
    readonly flags: readonly string[];
    readonly doc: string;
    readonly takesValue: boolean;
  }[];
  /** Values of the first argument. */
  readonly values: readonly string[];
}

/** A script for a shell, made from the program itself. `argumentValues`: of the first argument, by command. */
export function completionScript(
  shell: Shell,
  program: Command,
  argumentValues: (command: string) => readonly string[],
): string {
  const commands = program.commands.map((command) => completableOf(command, argumentValues(command.name())));
  const root = completableOf(program, []);
  if (shell === 'bash') return bashScript(root, commands);
  return shell === 'zsh' ? zshScript(root, commands) : fishScript(root, commands);
}

function completableOf(command: Command, values: readonly string[]): Completable {
  const options = [...command.options.filter(({ hidden }) => !hidden), ...helpOption(command)];
  return {
    name: command.name(),
    doc: command.summary() || command.description(),
    options: options.map(({ short, long, description, required, optional }) => ({
      flags: [short, long].filter((flag) => flag !== undefined && flag !== null),
      doc: description,
      takesValue: Boolean(required || optional),
    })),
    values,
  };
}

/** commander keeps its help option apart from the others. */
function helpOption(command: Command) {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long === '--help');
}

function bashScript(root: Completable, commands: readonly Completable[]): string {
  const words = (each: Completable): string => each.options.flatMap(({ flags }) => flags).join(' ');
  const cases = commands.map(
    (each) =>
      `    ${each.name}) options="${words(each)}"; values="${each.values.join(' ')}"; taking="${taking(each)}" ;;`,
  );
  return `# bash completion for tickline: put into ~/.bashrc:  eval "$(tickline completion bash)"
_tickline() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"
  local options values taking
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "${commands.map(({ name }) => name).join(' ')} ${words(root)}" -- "$word")
    return
  fi
  case "$command" in
${cases.join('\n')}
    *) return ;;
  esac
  case " $taking " in
    *" $before "*)
      case "$before" in
        *file|*File|--config|--out|--manifest) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
      esac
      return ;;
  esac
  if [ "\${word:0:1}" = "-" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
  fi
}
complete -o filenames -F _tickline tickline
`;
}

function taking(each: Completable): string {
  return each.options
    .filter(({ takesValue }) => takesValue)
    .flatMap(({ flags }) => flags)
    .join(' ');
}

function zshScript(root: Completable, commands: readonly Completable[]): string {
  const described = (flags: string, doc: string, takesValue: boolean): string =>
    `'${flags}${takesValue ? '=' : ''}[${zshText(doc)}]${takesValue ? ':value:_files' : ''}'`;
  const specs = (each: Completable): string =>
    each.options
      .flatMap(({ flags, doc, takesValue }) =>
        flags.map((flag) => described(flag, doc, takesValue && flag.startsWith('--'))),
      )
      .join(' \\\n        ');
  const cases = commands.map((each) => {
    const values = each.values.length === 0 ? '' : ` \\\n        '1:argument:(${each.values.join(' ')})'`;
    return `    ${each.name})\n      _arguments -s \\\n        ${specs(each)}${values}\n      ;;`;
  });
  return `#compdef tickline
# zsh completion for tickline: put into ~/.zshrc, behind compinit:  eval "$(tickline completion zsh)"
_tickline() {
  local -a commands
  commands=(
${commands.map(({ name, doc }) => `    '${name}:${zshText(doc)}'`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    _arguments ${root.options.map(({ flags, doc }) => described(flags.at(-1)!, doc, false)).join(' ')}
    return
  fi
  local command="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _tickline tickline
`;
}

function zshText(text: string): string {
  return text
    .replace(/'/g, '’')
    .replace(/[[\]:\\]/g, '\\$&')
    .replace(/\s+/g, ' ');
}

function fishScript(root: Completable, commands: readonly Completable[]): string {
  const quoted = (text: string): string =>
    `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\s+/g, ' ')}'`;
  const option = (condition: string, { flags, doc, takesValue }: Completable['options'][number]): string => {
    const names = flags.map((flag) =>
      flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
    );
    return `complete -c tickline -n ${quoted(condition)} ${names.join(' ')}${takesValue ? ' -r' : ''} -d ${quoted(doc)}`;
  };
  const lines = commands.flatMap((each) => [
    `complete -c tickline -n __fish_use_subcommand -f -a ${each.name} -d ${quoted(each.doc)}`,
    ...each.values.map(
      (value) =>
        `complete -c tickline -n ${quoted(`__fish_seen_subcommand_from ${each.name}`)} -f -a ${value}`,
    ),
    ...each.options.map((one) => option(`__fish_seen_subcommand_from ${each.name}`, one)),
  ]);
  return `# fish completion for tickline: tickline completion fish > ~/.config/fish/completions/tickline.fish
${[...root.options.map((one) => option('__fish_use_subcommand', one)), ...lines].join('\n')}
`;
}
