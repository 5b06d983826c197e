/*
 * calls.c - the system calls that roles make.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>

#include <linux/netlink.h>
#include <linux/sockios.h>

#include "sandbox/calls.h"

#define WORD 0xffffffffUL /* what the kernel looks at of an int */
#define IS(n, v)                                                     \
	{                                                            \
		.at = (n), .bits = WORD, .value = (unsigned long)(v) \
	}
#define WITHOUT(n, v)                                 \
	{                                             \
		.at = (n), .bits = (unsigned long)(v) \
	}
/* What a new thread is made with, and what it has no use for: namespaces, a
 * tracer, another parent. */
#define THREAD ((unsigned long)(CLONE_THREAD | CLONE_VM))
#define CLONE_ODD                                                        \
	((unsigned long)(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | \
	    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS |  \
	    CLONE_PARENT | CLONE_PTRACE | CLONE_UNTRACED | CLONE_VFORK))

/* Of a socket, without its flags. */
#define TYPE(v)                                                   \
	{                                                         \
		.at = 1, .bits = 0xf, .value = (unsigned long)(v) \
	}

const struct call calls_allowed[] = {
	/* Files. */
	{ .name = "access", .roles = CALLS_EVERY },
	{ .name = "close", .roles = CALLS_EVERY },
	{ .name = "close_range", .roles = CALLS_EVERY },
	{ .name = "dup", .roles = CALLS_EVERY },
	{ .name = "dup2", .roles = CALLS_EVERY },
	{ .name = "dup3", .roles = CALLS_EVERY },
	{ .name = "faccessat", .roles = CALLS_EVERY },
	{ .name = "faccessat2", .roles = CALLS_EVERY },
	{ .name = "fadvise64", .roles = CALLS_EVERY },
	{ .name = "fallocate", .roles = CALLS_EVERY },
	{ .name = "fchmod", .roles = CALLS_EVERY },
	{ .name = "fchown", .roles = CALLS_EVERY },
	{ .name = "fdatasync", .roles = CALLS_EVERY },
	{ .name = "flock", .roles = CALLS_EVERY },
	{ .name = "fstat", .roles = CALLS_EVERY },
	{ .name = "fstatfs", .roles = CALLS_EVERY },
	{ .name = "fsync", .roles = CALLS_EVERY },
	{ .name = "ftruncate", .roles = CALLS_EVERY },
	{ .name = "getcwd", .roles = CALLS_EVERY },
	{ .name = "getdents64", .roles = CALLS_EVERY },
	{ .name = "link", .roles = CALLS_EVERY },
	{ .name = "linkat", .roles = CALLS_EVERY },
	{ .name = "lseek", .roles = CALLS_EVERY },
	{ .name = "lstat", .roles = CALLS_EVERY },
	{ .name = "mkdir", .roles = CALLS_EVERY },
	{ .name = "mkdirat", .roles = CALLS_EVERY },
	{ .name = "newfstatat", .roles = CALLS_EVERY },
	{ .name = "open", .roles = CALLS_EVERY },
	{ .name = "openat", .roles = CALLS_EVERY },
	{ .name = "pread64", .roles = CALLS_EVERY },
	{ .name = "preadv", .roles = CALLS_EVERY },
	{ .name = "pwrite64", .roles = CALLS_EVERY },
	{ .name = "pwritev", .roles = CALLS_EVERY },
	{ .name = "read", .roles = CALLS_EVERY },
	{ .name = "readlink", .roles = CALLS_EVERY },
	{ .name = "readlinkat", .roles = CALLS_EVERY },
	{ .name = "readv", .roles = CALLS_EVERY },
	{ .name = "rename", .roles = CALLS_EVERY },
	{ .name = "renameat", .roles = CALLS_EVERY },
	{ .name = "renameat2", .roles = CALLS_EVERY },
	{ .name = "stat", .roles = CALLS_EVERY },
	{ .name = "statfs", .roles = CALLS_EVERY },
	{ .name = "statx", .roles = CALLS_EVERY },
	{ .name = "umask", .roles = CALLS_EVERY },
	{ .name = "unlink", .roles = CALLS_EVERY },
	{ .name = "unlinkat", .roles = CALLS_EVERY },
	{ .name = "write", .roles = CALLS_EVERY },
	{ .name = "writev", .roles = CALLS_EVERY },
	/* Not those that have a signal sent to another process. */
	{ .name = "fcntl",
	    .roles = CALLS_CONNECTS,
	    .argument = { IS(1, F_SETPIPE_SZ) } }, /* librdkafka */
	{ .name = "fcntl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, F_DUPFD) } },
	{ .name = "fcntl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, F_DUPFD_CLOEXEC) } },
	{ .name = "fcntl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, F_GETFD) } },
	{ .name = "fcntl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, F_SETFD) } },
	{ .name = "fcntl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, F_GETFL) } },
	{ .name = "fcntl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, F_SETFL) } },
	{ .name = "fcntl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, F_GETLK) } },
	{ .name = "fcntl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, F_SETLK) } },
	{ .name = "fcntl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, F_SETLKW) } },
	{ .name = "ioctl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, TCGETS) } },
	{ .name = "ioctl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, FIONREAD) } },
	{ .name = "ioctl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, FIONBIO) } },
	{ .name = "ioctl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(1, SIOCOUTQ) } },

	/* Memory: nothing is written that can be run. */
	{ .name = "brk", .roles = CALLS_EVERY },
	{ .name = "madvise", .roles = CALLS_EVERY },
	{ .name = "mincore", .roles = CALLS_EVERY },
	{ .name = "mlock", .roles = CALLS_EVERY },
	{ .name = "mlock2", .roles = CALLS_EVERY },
	{ .name = "mmap",
	    .roles = CALLS_EVERY,
	    .argument = { WITHOUT(2, PROT_EXEC) } },
	{ .name = "mmap",
	    .roles = CALLS_EVERY,
	    .argument = { WITHOUT(2, PROT_WRITE) } },
	{ .name = "mprotect",
	    .roles = CALLS_EVERY,
	    .argument = { WITHOUT(2, PROT_EXEC) } },
	{ .name = "mremap", .roles = CALLS_EVERY },
	{ .name = "msync", .roles = CALLS_EVERY },
	{ .name = "munlock", .roles = CALLS_EVERY },
	{ .name = "munmap", .roles = CALLS_EVERY },

	/* Threads, and the process itself. */
	{ .name = "clone",
	    .roles = CALLS_EVERY,
	    .argument = { { .at = 0,
		.bits = THREAD | CLONE_ODD,
		.value = THREAD } } },
	{ .name = "exit", .roles = CALLS_EVERY },
	{ .name = "exit_group", .roles = CALLS_EVERY },
	{ .name = "futex", .roles = CALLS_EVERY },
	{ .name = "get_robust_list", .roles = CALLS_EVERY },
	{ .name = "getegid", .roles = CALLS_EVERY },
	{ .name = "geteuid", .roles = CALLS_EVERY },
	{ .name = "getgid", .roles = CALLS_EVERY },
	{ .name = "getpid", .roles = CALLS_EVERY },
	{ .name = "getppid", .roles = CALLS_EVERY },
	{ .name = "getrandom", .roles = CALLS_EVERY },
	{ .name = "getrlimit", .roles = CALLS_EVERY },
	{ .name = "getrusage", .roles = CALLS_EVERY },
	{ .name = "gettid", .roles = CALLS_EVERY },
	{ .name = "getuid", .roles = CALLS_EVERY },
	{ .name = "membarrier", .roles = CALLS_EVERY },
	{ .name = "prctl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(0, PR_SET_NAME) } },
	{ .name = "prctl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(0, PR_GET_NAME) } },
	{ .name = "prctl",
	    .roles = CALLS_EVERY,
	    .argument = { IS(0, PR_GET_NO_NEW_PRIVS) } },
	{ .name = "prlimit64",
	    .roles = CALLS_EVERY,
	    .argument = { { .at = 2, .bits = ~0UL } } },
	{ .name = "restart_syscall", .roles = CALLS_EVERY },
	{ .name = "rseq", .roles = CALLS_EVERY },
	{ .name = "rt_sigaction",
	    .roles = CALLS_EVERY,
	    .argument = { { .at = 0,
		.bits = WORD,
		.value = SIGSYS,
		.other = true } } },
	{ .name = "rt_sigpending", .roles = CALLS_EVERY },
	{ .name = "rt_sigprocmask", .roles = CALLS_EVERY },
	{ .name = "rt_sigreturn", .roles = CALLS_EVERY },
	{ .name = "rt_sigtimedwait", .roles = CALLS_EVERY },
	{ .name = "sched_getaffinity", .roles = CALLS_EVERY },
	{ .name = "sched_getparam", .roles = CALLS_EVERY },
	{ .name = "sched_getscheduler", .roles = CALLS_EVERY },
	{ .name = "sched_yield", .roles = CALLS_EVERY },
	{ .name = "set_robust_list", .roles = CALLS_EVERY },
	{ .name = "sigaltstack", .roles = CALLS_EVERY },
	{ .name = "sysinfo", .roles = CALLS_EVERY },
	{ .name = "tgkill",
	    .roles = CALLS_EVERY,
	    .argument = { IS(0, CALLS_OWN_PROCESS) } },
	{ .name = "uname", .roles = CALLS_EVERY },

	/* Time, and waiting. */
	{ .name = "clock_getres", .roles = CALLS_EVERY },
	{ .name = "clock_gettime", .roles = CALLS_EVERY },
	{ .name = "clock_nanosleep", .roles = CALLS_EVERY },
	{ .name = "epoll_create1", .roles = CALLS_EVERY },
	{ .name = "epoll_ctl", .roles = CALLS_EVERY },
	{ .name = "epoll_pwait", .roles = CALLS_EVERY },
	{ .name = "epoll_wait", .roles = CALLS_EVERY },
	{ .name = "eventfd2", .roles = CALLS_EVERY },
	{ .name = "gettimeofday", .roles = CALLS_EVERY },
	{ .name = "nanosleep", .roles = CALLS_EVERY },
	{ .name = "pipe", .roles = CALLS_EVERY },
	{ .name = "pipe2", .roles = CALLS_EVERY },
	{ .name = "poll", .roles = CALLS_EVERY },
	{ .name = "ppoll", .roles = CALLS_EVERY },
	{ .name = "pselect6", .roles = CALLS_EVERY },
	{ .name = "select", .roles = CALLS_EVERY },
	{ .name = "time", .roles = CALLS_EVERY },
	{ .name = "times", .roles = CALLS_EVERY },

	/* Sockets: those that are there, as the log may be one … */
	{ .name = "getpeername", .roles = CALLS_EVERY },
	{ .name = "getsockname", .roles = CALLS_EVERY },
	{ .name = "getsockopt", .roles = CALLS_EVERY },
	{ .name = "sendmsg", .roles = CALLS_EVERY },
	{ .name = "sendto", .roles = CALLS_EVERY },
	/* … those of clients … */
	{ .name = "bind", .roles = CALLS_CONNECTS | CALLS_LOCAL },
	{ .name = "connect", .roles = CALLS_CONNECTS | CALLS_LOCAL },
	{ .name = "recvfrom",
	    .roles = CALLS_CONNECTS | CALLS_LOCAL | CALLS_SERVES },
	{ .name = "recvmsg",
	    .roles = CALLS_CONNECTS | CALLS_LOCAL | CALLS_SERVES },
	{ .name = "recvmmsg", .roles = CALLS_CONNECTS | CALLS_LOCAL },
	{ .name = "sendmmsg", .roles = CALLS_CONNECTS | CALLS_LOCAL },
	{ .name = "setsockopt",
	    .roles = CALLS_CONNECTS | CALLS_LOCAL | CALLS_SERVES },
	{ .name = "shutdown",
	    .roles = CALLS_CONNECTS | CALLS_LOCAL | CALLS_SERVES },
	{ .name = "socket",
	    .roles = CALLS_LOCAL,
	    .argument = { IS(0, AF_UNIX) } },
	{ .name = "socket",
	    .roles = CALLS_CONNECTS,
	    .argument = { IS(0, AF_INET), TYPE(SOCK_STREAM) } },
	{ .name = "socket",
	    .roles = CALLS_NAMES,
	    .argument = { IS(0, AF_INET), TYPE(SOCK_DGRAM) } },
	{ .name = "socket",
	    .roles = CALLS_CONNECTS,
	    .argument = { IS(0, AF_INET6), TYPE(SOCK_STREAM) } },
	{ .name = "socket",
	    .roles = CALLS_NAMES,
	    .argument = { IS(0, AF_INET6), TYPE(SOCK_DGRAM) } },
	{ .name = "socket",
	    .roles = CALLS_CONNECTS,
	    .argument = { IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE) } },
	{ .name = "socketpair",
	    .roles = CALLS_CONNECTS | CALLS_LOCAL,
	    .argument = { IS(0, AF_UNIX) } },
	/* … and those of who asks for the status. */
	{ .name = "accept", .roles = CALLS_SERVES },
	{ .name = "accept4", .roles = CALLS_SERVES },
	{ .name = "sendfile", .roles = CALLS_SERVES },

	/* A sanitizer stops all threads at the end, and looks at them from a
	 * process of its own. */
	{ .name = "clone", .roles = CALLS_SANITIZER },
	{ .name = "fcntl", .roles = CALLS_SANITIZER },
	{ .name = "getdents", .roles = CALLS_SANITIZER },
	{ .name = "kill", .roles = CALLS_SANITIZER },
	{ .name = "personality", .roles = CALLS_SANITIZER },
	{ .name = "prctl", .roles = CALLS_SANITIZER },
	{ .name = "process_vm_readv", .roles = CALLS_SANITIZER },
	{ .name = "ptrace", .roles = CALLS_SANITIZER },
	{ .name = "tgkill", .roles = CALLS_SANITIZER },
	{ .name = "tkill", .roles = CALLS_SANITIZER },
	{ .name = "wait4", .roles = CALLS_SANITIZER },
};

const size_t n_calls_allowed = sizeof(calls_allowed) / sizeof(calls_allowed[0]);

const struct call_refusal calls_refused[] = {
	/* Its flags can't be seen by a filter; threads are made by clone then.
	 */
	{ .name = "clone3", .error = ENOSYS, .roles = CALLS_EVERY },
	/* The C library looks whether somebody else knows names of hosts. */
	{ .name = "socket",
	    .error = EACCES,
	    .roles = CALLS_CONNECTS,
	    .unless = CALLS_LOCAL,
	    .argument = { IS(0, AF_UNIX) } },
	/* … and libcurl whether there is IPv6. */
	{ .name = "socket",
	    .error = EACCES,
	    .roles = CALLS_CONNECTS,
	    .unless = CALLS_NAMES,
	    .argument = { IS(0, AF_INET), TYPE(SOCK_DGRAM) } },
	{ .name = "socket",
	    .error = EACCES,
	    .roles = CALLS_CONNECTS,
	    .unless = CALLS_NAMES,
	    .argument = { IS(0, AF_INET6), TYPE(SOCK_DGRAM) } },
};

const size_t n_calls_refused = sizeof(calls_refused) / sizeof(calls_refused[0]);

static const char *const deadly[] = {
	/* Other programs, and other processes. */
	"clone", "execve", "execveat", "fork", "kcmp", "kill", "memfd_create",
	"memfd_secret", "perf_event_open", "pidfd_getfd", "pidfd_open",
	"pidfd_send_signal", "process_madvise", "process_mrelease",
	"process_vm_readv", "process_vm_writev", "ptrace", "rt_sigaction",
	"rt_sigqueueinfo", "rt_tgsigqueueinfo", "tgkill", "tkill",
	"userfaultfd", "vfork",
	/* Other rights. */
	"add_key", "capset", "keyctl", "personality", "request_key", "seccomp",
	"setfsgid", "setfsuid", "setgid", "setgroups", "setns", "setregid",
	"setresgid", "setresuid", "setreuid", "setuid", "unshare",
	/* The kernel and its machine. */
	"acct", "adjtimex", "bpf", "clock_adjtime", "clock_settime",
	"create_module", "delete_module", "finit_module", "init_module",
	"io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm",
	"iopl", "kexec_file_load", "kexec_load", "modify_ldt", "quotactl",
	"quotactl_fd", "reboot", "setdomainname", "sethostname", "settimeofday",
	"swapoff", "swapon", "syslog", "vhangup",
	/* Its files. */
	"chroot", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick",
	"mknod", "mknodat", "mount", "mount_setattr", "move_mount",
	"name_to_handle_at", "open_by_handle_at", "open_tree", "pivot_root",
	"umount", "umount2",
	/* Listening, where that is not one's task. */
	"listen"
};

bool
calls_is_deadly(const char *name)
{
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		if (strcmp(deadly[i], name) == 0)
			return true;
	return false;
}

static const struct {
	const char *name;
	int number;
} names[] = {
#include "sandbox/call_names.inc"
};

const char *
calls_name(int number)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == number)
			return names[i].name;
	return "?";
}
