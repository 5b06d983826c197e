/*
 * tries.c - what somebody who has taken over a role would try.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>

#include "base/role.h"
#include "hostile/tries.h"

#define COLLECT (1U << ROLE_COLLECT)
#define SEAL (1U << ROLE_SEAL)
#define SHIP (1U << ROLE_SHIP)
#define WATCH (1U << ROLE_WATCH)
#define RECOVER (1U << ROLE_RECOVER)
#define ALL (COLLECT | SEAL | SHIP | WATCH | RECOVER)
#define SILENT (SEAL | WATCH | RECOVER) /* that make no connections */

static bool
can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool
read_key(const struct scene *s)
{
	return can_open(s->key, O_RDONLY);
}

static bool
read_config(const struct scene *s)
{
	return can_open(s->config, O_RDONLY);
}

static bool
read_source_secret(const struct scene *s)
{
	return can_open(s->source_secret, O_RDONLY);
}

static bool
read_output_secret(const struct scene *s)
{
	return can_open(s->output_secret, O_RDONLY);
}

static bool
read_other_secret(const struct scene *s)
{
	return can_open(s->other_secret, O_RDONLY);
}

static bool
read_kept(const struct scene *s)
{
	return can_open(s->kept, O_RDONLY);
}

static bool
read_host(const struct scene *s)
{
	(void)s;
	return can_open("/etc/shadow", O_RDONLY) ||
	    can_open("/etc/passwd", O_RDONLY);
}

static bool
list_home(const struct scene *s)
{
	DIR *dir = opendir("/root");

	(void)s;
	if (dir != NULL)
		(void)closedir(dir);
	return dir != NULL;
}

static bool
write_config(const struct scene *s)
{
	return can_open(s->config, O_WRONLY) ||
	    can_open(s->config, O_WRONLY | O_TRUNC) ||
	    truncate(s->config, 0) == 0 || unlink(s->config) == 0;
}

static bool
write_program(const struct scene *s)
{
	return can_open(s->program, O_WRONLY) ||
	    rename(s->archive, s->program) == 0 || unlink(s->program) == 0;
}

static bool
write_archive(const struct scene *s)
{
	return can_open(s->archive, O_WRONLY | O_APPEND) ||
	    unlink(s->archive) == 0;
}

static bool
write_sign_log(const struct scene *s)
{
	return can_open(s->sign_log, O_WRONLY | O_APPEND) ||
	    truncate(s->sign_log, 0) == 0;
}

static bool
write_store(const struct scene *s)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-journal" };
	char file[4200];
	bool worked = false;

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s%s", s->store, tails[i]);
		worked = can_open(file, O_WRONLY | O_CREAT) || worked;
	}
	return worked;
}

static bool
write_host(const struct scene *s)
{
	char file[4200];

	(void)snprintf(file, sizeof(file), "%s/left-behind", s->folder);
	return can_open(file, O_WRONLY | O_CREAT) || mkdir(file, 0700) == 0 ||
	    symlink("/etc", file) == 0;
}

static bool
open_memory(const struct scene *s)
{
	char file[64];

	(void)snprintf(file, sizeof(file), "/proc/%d/mem", (int)s->neighbour);
	return can_open(file, O_RDONLY);
}

static bool
open_environment(const struct scene *s)
{
	char file[64];

	(void)snprintf(file, sizeof(file), "/proc/%d/environ",
	    (int)s->neighbour);
	return can_open(file, O_RDONLY);
}

static bool
trace(const struct scene *s)
{
	return ptrace(PTRACE_SEIZE, s->neighbour, NULL, NULL) == 0;
}

static bool
read_memory(const struct scene *s)
{
	char secret[8];
	struct iovec here = { .iov_base = secret, .iov_len = sizeof(secret) };
	struct iovec there = { .iov_base = (void *)(uintptr_t)s,
		.iov_len = sizeof(secret) };

	return process_vm_readv(s->neighbour, &here, 1, &there, 1, 0) > 0;
}

static bool
take_descriptor(const struct scene *s)
{
	int fd = (int)syscall(SYS_pidfd_open, s->neighbour, 0);

	return fd >= 0 && syscall(SYS_pidfd_getfd, fd, 0, 0) >= 0;
}

static int
tcp(uint16_t port, struct sockaddr_in *a)
{
	*a = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static bool
connect_elsewhere(const struct scene *s)
{
	struct sockaddr_in a;
	int fd = tcp(s->port, &a);

	return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

static bool
listen_elsewhere(const struct scene *s)
{
	struct sockaddr_in a;
	int fd = tcp(0, &a);

	(void)s;
	return fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    listen(fd, 1) == 0;
}

static bool
send_datagram(const struct scene *s)
{
	struct sockaddr_in a;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)close(tcp(s->port, &a));
	return fd >= 0 &&
	    sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)) == 1;
}

static bool
send_raw(const struct scene *s)
{
	(void)s;
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0 ||
	    socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static bool
connect_abstract(const struct scene *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const size_t len = strlen(s->name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path + 1, s->name, len);
	return fd >= 0 &&
	    connect(fd, (struct sockaddr *)&a,
		(socklen_t)(sizeof(a.sun_family) + 1 + len)) == 0;
}

static bool
run_program(const struct scene *s)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };

	(void)s;
	/* One that runs ends with its own status, which is that of success. */
	(void)execve("/bin/true", argv, argv + 1);
	return false;
}

static bool
run_memory(const struct scene *s)
{
	(void)s;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ||
	    syscall(SYS_memfd_create, "program", 0) >= 0;
}

static bool
fork_away(const struct scene *s)
{
	pid_t pid = fork();

	(void)s;
	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool
send_signal(const struct scene *s)
{
	return kill(s->neighbour, SIGWINCH) == 0;
}

static bool
change_user(const struct scene *s)
{
	(void)s;
	return setuid(1) == 0;
}

static bool
leave_namespace(const struct scene *s)
{
	(void)s;
	return unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNS) == 0;
}

static bool
mount_something(const struct scene *s)
{
	return mount("none", s->folder, "tmpfs", 0, NULL) == 0;
}

static bool
change_root(const struct scene *s)
{
	return chroot(s->folder) == 0 ||
	    syscall(SYS_pivot_root, s->folder, s->folder) == 0 ||
	    errno == EINVAL;
}

static bool
load_module(const struct scene *s)
{
	(void)s;
	/* Permission comes before what is wrong with it. */
	return syscall(SYS_finit_module, -1, "", 0) == 0 || errno != EPERM;
}

static bool
load_program(const struct scene *s)
{
	(void)s;
	return syscall(SYS_bpf, 0, NULL, 0) == 0 || errno == EINVAL;
}

static bool
ask_keyring(const struct scene *s)
{
	(void)s;
	return syscall(SYS_keyctl, 0, -3, 1) >= 0;
}

static bool
use_io_uring(const struct scene *s)
{
	char parameters[256] = "";

	(void)s;
	return syscall(SYS_io_uring_setup, 1, parameters) >= 0;
}

static bool
watch_machine(const struct scene *s)
{
	(void)s;
	return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) >= 0 ||
	    errno == EFAULT;
}

static bool
set_clock(const struct scene *s)
{
	(void)s;
	return syscall(SYS_clock_settime, CLOCK_REALTIME, NULL) == 0 ||
	    errno == EFAULT;
}

static bool
make_device(const struct scene *s)
{
	char file[4200];

	(void)snprintf(file, sizeof(file), "%s/device", s->folder);
	(void)unlink(file);
	return mknod(file, S_IFCHR | 0600, 0x0101) == 0;
}

/* -- what needs no file of its own ----------------------------------------- */

static bool
link_config(const struct scene *s)
{
	char file[4200];

	(void)snprintf(file, sizeof(file), "%s.link", s->store);
	(void)unlink(file);
	return link(s->config, file) == 0;
}

static bool
leave_link(const struct scene *s)
{
	char file[4200];

	(void)snprintf(file, sizeof(file), "%s.symlink", s->store);
	(void)unlink(file);
	return symlink(s->config, file) == 0;
}

static bool
give_away(const struct scene *s)
{
	return lchown(s->config, 0, 0) == 0 || chown(s->config, 0, 0) == 0 ||
	    chmod(s->config, 0600) == 0;
}

/* By its handle, which needs no way to it. */
static bool
open_by_handle(const struct scene *s)
{
	struct {
		struct file_handle head;
		unsigned char rest[MAX_HANDLE_SZ];
	} handle = { .head.handle_bytes = MAX_HANDLE_SZ };
	int id, root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return name_to_handle_at(AT_FDCWD, s->config, &handle.head, &id, 0) ==
	    0 &&
	    open_by_handle_at(root, &handle.head, O_RDONLY) >= 0;
}

static bool
watch_files(const struct scene *s)
{
	int fd = inotify_init1(IN_CLOEXEC);

	return (fd >= 0 &&
		   inotify_add_watch(fd, s->config, IN_ALL_EVENTS) >= 0) ||
	    syscall(SYS_fanotify_init, 0, 0) >= 0;
}

static bool
run_from_memory(const struct scene *s)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };
	char page[65536];
	ssize_t n;
	int from = open("/bin/true", O_RDONLY | O_CLOEXEC);
	int to = (int)syscall(SYS_memfd_create, "program", 0);

	(void)s;
	while ((n = read(from, page, sizeof(page))) > 0)
		if (write(to, page, (size_t)n) != n)
			return false;
	(void)fexecve(to, argv, argv + 1);
	return false;
}

static bool
use_userfaultfd(const struct scene *s)
{
	(void)s;
	return syscall(SYS_userfaultfd, O_CLOEXEC) >= 0;
}

static bool
connect_path(const struct scene *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path, s->socket, strlen(s->socket));
	return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

/* Those that some kernel may have, each with its own holes in the past. */
static bool
other_families(const struct scene *s)
{
	static const int families[] = { AF_ALG, AF_BLUETOOTH, AF_CAN, AF_KEY,
		AF_RDS, AF_TIPC, AF_VSOCK, AF_XDP };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW,
		SOCK_SEQPACKET };

	(void)s;
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++)
		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
			if (socket(families[f], types[t], 0) >= 0)
				return true;
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT) >= 0 ||
	    socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) >= 0 ||
	    socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT) >= 0;
}

static bool
type_for_others(const struct scene *s)
{
	return ioctl(s->terminal, TIOCSTI, "x") == 0;
}

static bool
slow_another(const struct scene *s)
{
	const struct sched_param p = { .sched_priority = 0 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return setpriority(PRIO_PROCESS, (id_t)s->neighbour, 19) == 0 ||
	    sched_setaffinity(s->neighbour, sizeof(set), &set) == 0 ||
	    sched_setscheduler(s->neighbour, SCHED_IDLE, &p) == 0;
}

static bool
set_limits(const struct scene *s)
{
	const struct rlimit none = { .rlim_cur = RLIM_INFINITY,
		.rlim_max = RLIM_INFINITY };
	const struct rlimit few = { .rlim_cur = 16, .rlim_max = 16 };

	return setrlimit(RLIMIT_CORE, &none) == 0 ||
	    prlimit(s->neighbour, RLIMIT_NOFILE, &few, NULL) == 0;
}

static bool
show_memory(const struct scene *s)
{
	(void)s;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 ||
	    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0) == 0;
}

static bool
share_memory(const struct scene *s)
{
	(void)s;
	return shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) >= 0 ||
	    syscall(SYS_mq_open, "hostile", O_CREAT | O_RDWR, 0600, NULL) >=
	    0 ||
	    semget(IPC_PRIVATE, 1, IPC_CREAT | 0600) >= 0 ||
	    msgget(IPC_PRIVATE, IPC_CREAT | 0600) >= 0;
}

static bool
add_filter(const struct scene *s)
{
	struct sock_filter one = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog all = { .len = 1, .filter = &one };

	(void)s;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		   SECCOMP_FILTER_FLAG_NEW_LISTENER, &all) >= 0;
}

static bool
enter_namespace(const struct scene *s)
{
	char file[64];
	int fd;

	(void)snprintf(file, sizeof(file), "/proc/%d/ns/net",
	    (int)s->neighbour);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
}

static int
end_thread(void *arg)
{
	(void)arg;
	(void)syscall(SYS_exit, 0);
	return 0;
}

/* As a thread, which a role may make. */
static bool
clone_away(const struct scene *s)
{
	static char stack[65536] __attribute__((aligned(16)));

	(void)s;
	return clone(end_thread, stack + sizeof(stack),
		   CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | CLONE_NEWNET,
		   NULL) > 0;
}

static bool
silence_filter(const struct scene *s)
{
	(void)s;
	return signal(SIGSYS, SIG_IGN) != SIG_ERR;
}

static bool
list_open(const struct scene *s)
{
	char name[64];
	DIR *dir;

	(void)snprintf(name, sizeof(name), "/proc/%d/fd", (int)s->neighbour);
	dir = opendir(name);
	if (dir != NULL)
		(void)closedir(dir);
	return dir != NULL;
}

static bool
change_code(const struct scene *s)
{
	(void)s;
	return can_open("/proc/self/mem", O_RDWR);
}

static bool
change_cores(const struct scene *s)
{
	(void)s;
	return can_open("/proc/sys/kernel/core_pattern", O_WRONLY);
}

static bool
open_device(const struct scene *s)
{
	(void)s;
	return can_open("/dev/ptmx", O_RDWR | O_NOCTTY) ||
	    can_open("/dev/kmsg", O_RDONLY) || can_open("/dev/mem", O_RDONLY);
}

static bool
change_group(const struct scene *s)
{
	(void)s;
	return can_open("/sys/fs/cgroup/cgroup.procs", O_WRONLY) ||
	    can_open("/sys/fs/cgroup/unified/cgroup.procs", O_WRONLY);
}

static bool
favour_itself(const struct scene *s)
{
	(void)s;
	return can_open("/proc/self/oom_score_adj", O_WRONLY);
}

static bool
send_supervisor(const struct scene *s)
{
	(void)s;
	return kill(getppid(), SIGWINCH) == 0;
}

static bool
send_otherwise(const struct scene *s)
{
	siginfo_t info = { .si_signo = SIGWINCH, .si_code = SI_QUEUE };
	int fd;

	if (syscall(SYS_tgkill, s->neighbour, s->neighbour, SIGWINCH) == 0 ||
	    syscall(SYS_tkill, s->neighbour, SIGWINCH) == 0 ||
	    syscall(SYS_rt_sigqueueinfo, s->neighbour, SIGWINCH, &info) == 0)
		return true;
	fd = (int)syscall(SYS_pidfd_open, s->neighbour, 0);
	return fd >= 0 &&
	    syscall(SYS_pidfd_send_signal, fd, SIGWINCH, NULL, 0) == 0;
}

/* As soon as there is something to read. */
static bool
have_sent(const struct scene *s)
{
	int fd[2];

	return pipe(fd) == 0 && fcntl(fd[0], F_SETOWN, s->neighbour) == 0;
}

static bool
write_memory(const struct scene *s)
{
	static char there[8]; /* it has the same, at the same address */
	struct iovec from = { .iov_base = there, .iov_len = sizeof(there) };

	return process_vm_writev(s->neighbour, &from, 1, &from, 1, 0) > 0;
}

static bool
compare_with(const struct scene *s)
{
	return syscall(SYS_kcmp, getpid(), s->neighbour, 0, 0, 0) >= 0;
}

/* Permission comes before what is wrong with it. */
static bool
stop_machine(const struct scene *s)
{
	(void)s;
	return syscall(SYS_reboot, 0, 0, 0, NULL) == 0 || errno == EINVAL;
}

static bool
rename_machine(const struct scene *s)
{
	char name[256] = "";

	(void)s;
	return gethostname(name, sizeof(name) - 1) == 0 &&
	    sethostname(name, strlen(name)) == 0;
}

static bool
start_kernel(const struct scene *s)
{
	(void)s;
	return syscall(SYS_kexec_load, 0UL, 0UL, NULL, ~0UL) == 0 ||
	    errno != EPERM;
}

static bool
read_kernel_log(const struct scene *s)
{
	(void)s;
	return klogctl(10, NULL, 0) >= 0; /* how large it is */
}

static bool
take_capabilities(const struct scene *s)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct sets[2];

	(void)s;
	return syscall(SYS_capget, &head, sets) == 0 &&
	    syscall(SYS_capset, &head, sets) == 0;
}

static bool
outlive(const struct scene *s)
{
	(void)s;
	return prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0 || setsid() > 0;
}

static bool
lay_out(const struct scene *s)
{
	(void)s;
	return personality(READ_IMPLIES_EXEC) >= 0;
}

static bool
leave_fifo(const struct scene *s)
{
	char file[4200];

	(void)snprintf(file, sizeof(file), "%s.fifo", s->store);
	(void)unlink(file);
	return mkfifo(file, 0600) == 0;
}

const struct try tries[] = {
	{ .what = "read the signing key",
	    .worked = read_key,
	    .task = SEAL,
	    .landlock = ALL,
	    .users = ALL & ~(SEAL | RECOVER) },
	{ .what = "read the configuration",
	    .worked = read_config,
	    .landlock = ALL,
	    .users = ALL },
	{ .what = "read a vendor's secret",
	    .worked = read_source_secret,
	    .task = COLLECT,
	    .landlock = ALL,
	    .users = ALL & ~COLLECT },
	{ .what = "read a SIEM's secret",
	    .worked = read_output_secret,
	    .task = SHIP,
	    .landlock = ALL,
	    .users = ALL & ~SHIP },
	{ .what = "read another SIEM's secret",
	    .worked = read_other_secret,
	    .landlock = ALL,
	    .users = ALL & ~SHIP },
	{ .what = "read the refresh token that a vendor gave",
	    .worked = read_kept,
	    .task = COLLECT,
	    .landlock = ALL,
	    .users = ALL & ~COLLECT },
	{ .what = "read the host's users",
	    .worked = read_host,
	    .landlock = ALL },
	{ .what = "list a user's files",
	    .worked = list_home,
	    .landlock = ALL,
	    .users = ALL },
	{ .what = "change or remove the configuration",
	    .worked = write_config,
	    .landlock = ALL,
	    .users = ALL },
	{ .what = "replace the program",
	    .worked = write_program,
	    .landlock = ALL,
	    .users = ALL },
	{ .what = "write to another output's file",
	    .worked = write_archive,
	    .landlock = ALL,
	    .users = ALL & ~SHIP },
	{ .what = "write to the log of what was signed",
	    .worked = write_sign_log,
	    .task = SEAL | RECOVER,
	    .landlock = ALL,
	    .users = ALL & ~(SEAL | RECOVER) },
	{ .what = "write to the store",
	    .worked = write_store,
	    .task = COLLECT | SEAL | SHIP | RECOVER,
	    .landlock = ALL },
	{ .what = "leave a file elsewhere",
	    .worked = write_host,
	    .landlock = ALL,
	    .users = ALL },
	{ .what = "open another role's memory",
	    .worked = open_memory,
	    .landlock = ALL,
	    .users = ALL },
	{ .what = "read another role's environment",
	    .worked = open_environment,
	    .landlock = ALL,
	    .users = ALL },
	{ .what = "trace another role",
	    .worked = trace,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "copy another role's memory",
	    .worked = read_memory,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "take another role's descriptor",
	    .worked = take_descriptor,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "send another role a signal",
	    .worked = send_signal,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "connect elsewhere",
	    .worked = connect_elsewhere,
	    .landlock = ALL,
	    .seccomp = SILENT },
	{ .what = "listen",
	    .worked = listen_elsewhere,
	    .landlock = ALL,
	    .seccomp = ALL },
	{ .what = "send datagrams",
	    .worked = send_datagram,
	    .task = COLLECT | SHIP,
	    .seccomp = ALL },
	{ .what = "send raw packets",
	    .worked = send_raw,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "connect to an abstract socket",
	    .worked = connect_abstract,
	    .landlock = ALL,
	    .seccomp = SILENT },
	{ .what = "run another program",
	    .worked = run_program,
	    .landlock = ALL,
	    .seccomp = ALL },
	{ .what = "run what it has written",
	    .worked = run_memory,
	    .seccomp = ALL },
	{ .what = "fork", .worked = fork_away, .seccomp = ALL },
	{ .what = "become another user",
	    .worked = change_user,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "make a namespace",
	    .worked = leave_namespace,
	    .seccomp = ALL },
	{ .what = "mount a file system",
	    .worked = mount_something,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "change its root",
	    .worked = change_root,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "make a device",
	    .worked = make_device,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "load a kernel module",
	    .worked = load_module,
	    .seccomp = ALL },
	{ .what = "load a program into the kernel",
	    .worked = load_program,
	    .seccomp = ALL },
	{ .what = "ask for the kernel's keys",
	    .worked = ask_keyring,
	    .seccomp = ALL },
	{ .what = "use io_uring", .worked = use_io_uring, .seccomp = ALL },
	{ .what = "watch the machine",
	    .worked = watch_machine,
	    .seccomp = ALL },
	{ .what = "set the clock", .worked = set_clock, .seccomp = ALL },
	{
	    .what = "link the configuration into the store",
	    .worked = link_config,
	    .landlock = ALL,
	},
	{ .what = "leave a link for others to follow",
	    .worked = leave_link,
	    .landlock = ALL,
	    .seccomp = ALL },
	{ .what = "change whose a file is, and its mode",
	    .worked = give_away,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "open a file by its handle",
	    .worked = open_by_handle,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "watch what happens to files",
	    .worked = watch_files,
	    .seccomp = ALL },
	{ .what = "run a program from memory",
	    .worked = run_from_memory,
	    .seccomp = ALL },
	{ .what = "handle another's page faults",
	    .worked = use_userfaultfd,
	    .seccomp = ALL },
	{ .what = "connect to a unix socket elsewhere",
	    .worked = connect_path,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "make sockets of other families",
	    .worked = other_families,
	    .seccomp = ALL },
	{ .what = "type into a terminal",
	    .worked = type_for_others,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "slow another role down",
	    .worked = slow_another,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "change its limits, or those of others",
	    .worked = set_limits,
	    .seccomp = ALL },
	{ .what = "show its memory to others",
	    .worked = show_memory,
	    .seccomp = ALL },
	{ .what = "share memory with others",
	    .worked = share_memory,
	    .seccomp = ALL },
	{ .what = "judge system calls of others",
	    .worked = add_filter,
	    .seccomp = ALL },
	{ .what = "enter the namespace of others",
	    .worked = enter_namespace,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "make a namespace with a thread",
	    .worked = clone_away,
	    .seccomp = ALL },
	{ .what = "silence its filter",
	    .worked = silence_filter,
	    .seccomp = ALL },
	{ .what = "list what another role has open",
	    .worked = list_open,
	    .landlock = ALL,
	    .users = ALL },
	{ .what = "change its own code",
	    .worked = change_code,
	    .landlock = ALL },
	{ .what = "have cores of others written elsewhere",
	    .worked = change_cores,
	    .landlock = ALL,
	    .users = ALL },
	{ .what = "open a device", .worked = open_device, .landlock = ALL },
	{ .what = "leave its control group",
	    .worked = change_group,
	    .landlock = ALL,
	    .users = ALL },
	{ .what = "have the kernel end others for lack of memory",
	    .worked = favour_itself,
	    .landlock = ALL },
	{ .what = "send the supervisor a signal",
	    .worked = send_supervisor,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "send another role a signal by other calls",
	    .worked = send_otherwise,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "have the kernel send another role signals",
	    .worked = have_sent,
	    .seccomp = ALL },
	{ .what = "write into another role's memory",
	    .worked = write_memory,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "learn what it shares with another role",
	    .worked = compare_with,
	    .landlock = ALL,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "stop the machine",
	    .worked = stop_machine,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "rename the machine",
	    .worked = rename_machine,
	    .seccomp = ALL,
	    .users = ALL },
	{ .what = "start another kernel",
	    .worked = start_kernel,
	    .seccomp = ALL },
	{ .what = "read the kernel's log",
	    .worked = read_kernel_log,
	    .seccomp = ALL },
	{ .what = "change its capabilities",
	    .worked = take_capabilities,
	    .seccomp = ALL },
	{ .what = "outlive the supervisor", .worked = outlive, .seccomp = ALL },
	{ .what = "change how its memory is laid out",
	    .worked = lay_out,
	    .seccomp = ALL },
	{ .what = "leave a FIFO for others to open",
	    .worked = leave_fifo,
	    .landlock = ALL,
	    .seccomp = ALL },
};

const size_t n_tries = sizeof(tries) / sizeof(tries[0]);
