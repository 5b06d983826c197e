# fish completion for sealfeed: the program itself knows what may stand where,
# so there is nothing here to keep up to date.

function __sealfeed_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -q current[1]; or set current ""
    for line in ($words[1] help --complete -- $words[2..-1] $current 2>/dev/null)
        if string match -q './*' -- $line
            __fish_complete_path $current
        else
            echo $line
        end
    end
end
complete -c sealfeed -f -a '(__sealfeed_complete)'
