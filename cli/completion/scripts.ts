export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * A script for each shell. It asks the command that stands in the line (`alfred`, or `./alfred`), passes it the words
 * as they are, and completes file names where the command names nothing. No word is evaluated: what a person has typed
 * so far, like `$(…)`, must not run at a press of the tab key.
 */
export const completionScripts: Record<Shell, string> = {
  bash: `# Completion of alfred for bash: eval "$(alfred completion bash)"
_alfred_complete() {
  local line word=\${COMP_WORDS[COMP_CWORD]} program=\${COMP_WORDS[0]/#\\~/$HOME}
  COMPREPLY=()
  while IFS= read -r line; do
    line=\${line%%$'\\t'*}
    [[ $line != :* && $line == "$word"* ]] && COMPREPLY+=("$line")
  done < <("$program" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _alfred_complete alfred`,

  zsh: `#compdef alfred
# Completion of alfred for zsh, after compinit: source <(alfred completion zsh)
_alfred() {
  local line tab=$'\\t'
  local -a found
  while IFS= read -r line; do
    [[ $line == :* ]] && continue
    found+=("\${\${line%%$tab*}//:/\\\\:}:\${line#*$tab}")
  done < <("\${\${(Q)words[1]}/#\\~/$HOME}" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  if (( $#found )); then _describe alfred found; else _files; fi
}
compdef _alfred alfred`,

  fish: `# Completion of alfred for fish: alfred completion fish | source
function __alfred_complete
    set -l words (commandline -opc)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    set -l found ($program complete -- $words[2..-1] (commandline -ct) 2>/dev/null | string match -v -r '^:')
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c alfred -f -a '(__alfred_complete)'`,
};
