/*
 * kinds.c - the kinds of records that the generator makes.
 *
 * The template language is described in generate.c.  RecordType numbers and
 * field names are from Microsoft's "Office 365 Management Activity API
 * schema" and "CopilotInteraction" pages.
 */
#include "tests/sim/generate.h"

#define AAD_ACTOR                                                       \
	",'AzureActiveDirectoryEventType':1,'ExtendedProperties':["     \
	"{'Name':'additionalDetails','Value':'{\\\"User-Agent\\\":"     \
	"\\\"Mozilla\\/5.0 (X11)\\\"}'},{'Name':"                       \
	"'extendedAuditEventCategory','Value':'$a'}],"                  \
	"'ModifiedProperties':[$<1-5|{'Name':'$a','NewValue':'[\\r\\n"  \
	"  \\\"$z\\\"\\r\\n]','OldValue':'[]'}$>],'Actor':[{'ID':'$u'," \
	"'Type':5},{'ID':'$g','Type':2},{'ID':'User','Type':2}],"       \
	"'ActorContextId':'$o','ActorIpAddress':'$i',"                  \
	"'InterSystemsId':'$G','IntraSystemsId':'$G',"                  \
	"'SupportTicketId':'','Target':[{'ID':'User_$g','Type':2},"     \
	"{'ID':'$v','Type':5}],'TargetContextId':'$o'"

#define STS_DEVICE                                               \
	"'DeviceProperties':[{'Name':'Id','Value':'$g'},"        \
	"{'Name':'DisplayName','Value':'$w'},{'Name':'OS',"      \
	"'Value':'Windows10'},{'Name':'BrowserType','Value':"    \
	"'Edge'},{'Name':'IsCompliantAndManaged','Value':'$Q'}," \
	"{'Name':'SessionId','Value':'$g'}]"

#define CMDLET                                                              \
	",'AppId':'$g','ClientAppId':'','ExternalAccess':$q,"               \
	"'OrganizationName':'northwind.onmicrosoft.example',"               \
	"'OriginatingServer':'DB6PR04MB$n (15.20.4129.032)','Parameters':[" \
	"$<3-14|{'Name':'$a','Value':'$w'}$>],'SessionId':'$g'"

#define MAILBOX                                                            \
	",'ExternalAccess':$q,'LogonType':$k,'InternalLogonType':0,"       \
	"'MailboxGuid':'$g','MailboxOwnerUPN':'$u','MailboxOwnerSid':"     \
	"'S-1-5-21-$n-$n-$n-$n','LogonUserSid':'S-1-5-21-$n-$n-$n-$n',"    \
	"'ClientInfoString':'Client=OWA;Mozilla\\/5.0 (Windows NT 10.0)'," \
	"'ClientIPAddress':'$i','ClientProcessName':'OUTLOOK.EXE',"        \
	"'ClientVersion':'16.0.$n.$n','OrganizationName':'$d',"            \
	"'OriginatingServer':'AM0PR$n (15.20.4200.000)\\r\\n'"

#define SITE                                                           \
	",'CorrelationId':'$G','EventSource':'SharePoint','ItemType':" \
	"'File','ListId':'$g','ListItemUniqueId':'$g','Site':'$g',"    \
	"'UserAgent':'Mozilla\\/5.0 (Macintosh)','WebId':'$g',"        \
	"'HighPriorityMediaProcessing':$q,'FileSizeBytes':$b,"         \
	"'SiteUrl':'https:\\/\\/northwind.sharepoint.example\\/sites\\/hr\\/'"

#define FILE_OPERATION                                              \
	SITE ",'SourceFileExtension':'docx','SourceFileName':'$f'," \
	     "'SourceRelativeUrl':'Shared Documents\\/$w',"         \
	     "'SensitivityLabelId':'$g','ApplicationDisplayName':'$w'"

#define FILE_URL \
	"https:\\/\\/northwind.sharepoint.example\\/sites\\/hr\\/docs\\/$f"

#define DLP_POLICY                                                            \
	"'PolicyDetails':[$<1-1|{'PolicyId':'$g','PolicyName':'$w','Rules':[" \
	"$<1-1|{'RuleId':'$g','RuleName':'$w','Actions':['NotifyUser',"       \
	"'BlockAccess'],'Severity':'High','RuleMode':'Enable',"               \
	"'ConditionsMatched':{'ConditionMatchedInNewScheme':true,"            \
	"'SensitiveInformation':[$<1-2|{'Confidence':$k,'Count':$n,"          \
	"'Location':'Message Body','SensitiveType':'$g',"                     \
	"'SensitiveInformationTypeName':'Credit Card Number','UniqueCount':"  \
	"$k,'SensitiveInformationDetections':{'DetectedValues':["             \
	"{'Name':'$b','Value':'$L'}],'ResultsTruncated':$q},"                 \
	"'SensitiveInformationDetailedClassificationAttributes':[{"           \
	"'Confidence':85,'Count':$k,'IsMatch':$q}]}$>],"                      \
	"'DocumentProperties':[],'OtherConditions':[]}}$>]}$>],"              \
	"'SensitiveInfoDetectionIsIncluded':true,'IncidentId':'$G',"          \
	"'EvaluationTime':'$T'"

#define TEAM                                                        \
	",'AADGroupId':'$g','CommunicationType':'Team','TeamGuid':" \
	"'19:$x@thread.tacv2','TeamName':'$w','ItemName':'$w',"     \
	"'ExtraProperties':[$<0-4|{'Key':'$a','Value':'$w'}$>]"

#define AI_CONTEXT                                                            \
	",'ClientRegion':'eur','CopilotLogVersion':'1.0.0.0',"                \
	"'CopilotEventData':{'AISystemPlugin':[{'Id':'BingWebSearch',"        \
	"'Name':'BingWebSearch'}],'AccessedResources':[$<0-6|{'Id':'$g',"     \
	"'Name':'$f','SiteUrl':'https:\\/\\/northwind.sharepoint.example\\/"  \
	"$f','Type':'docx','SensitivityLabelId':'$g','Action':'Read'}$>],"    \
	"'AppHost':'BizChat','Contexts':[$<0-3|{'Id':'https:\\/\\/northwind." \
	"sharepoint.example\\/_layouts\\/15\\/Doc.aspx?sourcedoc=%7B$g%7D',"  \
	"'Type':'docx'}$>],'MessageIds':[],'Messages':[$<1-4|{'Id':'$b',"     \
	"'Size':$e,'isPrompt':$q}$>],'ModelTransparencyDetails':[{"           \
	"'ModelName':'DEEP_LEO','ModelProviderName':'$w'}],"                  \
	"'ThreadId':'19:$x$x@thread.v2'}"

const struct kind kinds[] = {
	{ .content = CONTENT_AAD,
	    .record_type = 8,
	    .weight = 40,
	    .workload = "AzureActiveDirectory",
	    .user_type = 0,
	    .operations = "Update user.|Add member to role.|Add user.|"
			  "Consent to application.|Reset user password.",
	    .object = "$v",
	    .body = AAD_ACTOR },
	{ .content = CONTENT_AAD,
	    .record_type = 9,
	    .weight = 6,
	    .workload = "AzureActiveDirectory",
	    .user_type = 0,
	    .operations = "UserLoggedIn|UserLoginFailed",
	    .object = "Unknown",
	    .body =
		",'AzureActiveDirectoryEventType':0,'Application':'Office',"
		"'Client':'Exchange','LoginStatus':$n,'UserDomain':'$d',"
		"'ExtendedProperties':[$<1-4|{'Name':'$a','Value':'$z'}$>]" },
	{ .content = CONTENT_AAD,
	    .record_type = 15,
	    .weight = 60,
	    .workload = "AzureActiveDirectory",
	    .user_type = 0,
	    .operations = "UserLoggedIn|UserLoginFailed|ForeignRealmIndexLogon",
	    .object = "$g",
	    .body = ",'AzureActiveDirectoryEventType':1,'ExtendedProperties':["
		    "{'Name':'ResultStatusDetail','Value':'Redirect'},"
		    "{'Name':'UserAgent','Value':'Mozilla\\/5.0 ($w)'},"
		    "{'Name':'RequestType','Value':'OAuth2:Authorize'}],"
		    "'ModifiedProperties':[],'Actor':[{'ID':'$g','Type':0},"
		    "{'ID':'$u','Type':5}],'ActorContextId':'$o',"
		    "'ActorIpAddress':'$i','InterSystemsId':'$G',"
		    "'IntraSystemsId':'$G','Target':[{'ID':'$g','Type':0}],"
		    "'TargetContextId':'$o','ApplicationId':'$g'," STS_DEVICE
		    ",'ErrorNumber':'0'" },
	{ .content = CONTENT_AAD,
	    .record_type = 294,
	    .weight = 4,
	    .workload = "AzureActiveDirectory",
	    .user_type = 4,
	    .operations = "RiskyUserDetected|RiskySignInDetected",
	    .object = "$v",
	    .body = AAD_ACTOR },

	{ .content = CONTENT_EXCHANGE,
	    .record_type = 1,
	    .weight = 40,
	    .workload = "Exchange",
	    .user_type = 3,
	    .operations = "Set-Mailbox|Set-MailboxPlan|New-InboxRule|"
			  "Set-TransportRule|Add-MailboxPermission",
	    .object = "EURPR04A009.PROD.OUTLOOK.EXAMPLE\\/$w",
	    .body = CMDLET },
	{ .content = CONTENT_EXCHANGE,
	    .record_type = 2,
	    .weight = 25,
	    .workload = "Exchange",
	    .user_type = 0,
	    .operations = "Create|Update|Send|SendAs|SendOnBehalf",
	    .object = NULL,
	    .body = MAILBOX ",'Item':{'Id':'$s','Subject':'$z','Attachments':"
			    "'$f ($nb)','InternetMessageId':'$m',"
			    "'ParentFolder':{'Id':'$s','Path':'\\\\Inbox'},"
			    "'SizeInBytes':$n}" },
	{ .content = CONTENT_EXCHANGE,
	    .record_type = 3,
	    .weight = 15,
	    .workload = "Exchange",
	    .user_type = 0,
	    .operations = "SoftDelete|HardDelete|MoveToDeletedItems|Move",
	    .object = NULL,
	    .body = MAILBOX
	    ",'AffectedItems':[$<1-9|{'Id':'$s','InternetMessageId':'$m',"
	    "'ParentFolder':{'Id':'$s','Path':'\\\\$w'},'Subject':'$w'}$>],"
	    "'CrossMailboxOperation':$q,'Folder':{'Id':'$s','Path':"
	    "'\\\\Deleted Items'}" },
	{ .content = CONTENT_EXCHANGE,
	    .record_type = 50,
	    .weight = 35,
	    .workload = "Exchange",
	    .user_type = 0,
	    .operations = "MailItemsAccessed",
	    .object = NULL,
	    .body = MAILBOX
	    ",'OperationProperties':[{'Name':'MailAccessType','Value':'Bind'},"
	    "{'Name':'IsThrottled','Value':'$Q'}],'OperationCount':$n,"
	    "'Folders':[$<1-2|{'Id':'$s','Path':'\\\\$w','FolderItems':["
	    "$<1-7|{'InternetMessageId':'$m','SizeInBytes':$n,"
	    "'CreationTime':'$t'}$>]}$>]" },

	{ .content = CONTENT_SHAREPOINT,
	    .record_type = 4,
	    .weight = 10,
	    .workload = "SharePoint",
	    .user_type = 0,
	    .operations = "PageViewed|SiteCollectionCreated|SiteRenamed",
	    .object = FILE_URL,
	    .body = SITE ",'CustomEvent':'$w','EventData':'<a>$z<\\/a>',"
			 "'ModifiedProperties':[$<0-3|{'Name':'$a','NewValue':"
			 "'$w','OldValue':'$w'}$>]" },
	{ .content = CONTENT_SHAREPOINT,
	    .record_type = 6,
	    .weight = 60,
	    .workload = "OneDrive",
	    .user_type = 0,
	    .operations =
		"FileAccessed|FileDownloaded|FileModified|FileDeleted|"
		"FileSyncDownloadedFull|FilePreviewed",
	    .object = FILE_URL,
	    .body = FILE_OPERATION },
	{ .content = CONTENT_SHAREPOINT,
	    .record_type = 14,
	    .weight = 15,
	    .workload = "SharePoint",
	    .user_type = 0,
	    .operations = "SharingSet|AnonymousLinkCreated|SharingRevoked|"
			  "AddedToSecureLink",
	    .object = FILE_URL,
	    .body = FILE_OPERATION
	    ",'TargetUserOrGroupName':'$v','TargetUserOrGroupType':'Guest',"
	    "'UniqueSharingId':'$G','EventData':'<Type>View<\\/Type>'" },
	{ .content = CONTENT_SHAREPOINT,
	    .record_type = 36,
	    .weight = 10,
	    .workload = "SharePoint",
	    .user_type = 0,
	    .operations = "ListItemViewed|ListCreated|ListItemUpdated",
	    .object = FILE_URL,
	    .body = SITE ",'ListTitle':'$w','ListName':'$g','ListUrl':'Lists"
			 "\\/$w','ListBaseType':'DocumentLibrary',"
			 "'ListBaseTemplateType':'101','IsHiddenList':$q,"
			 "'IsDocLib':$q" },
	{ .content = CONTENT_SHAREPOINT,
	    .record_type = 56,
	    .weight = 5,
	    .workload = "SharePoint",
	    .user_type = 0,
	    .operations = "ListContentTypeCreated|SiteColumnCreated",
	    .object = FILE_URL,
	    .body = SITE ",'ItemCount':$e" },

	{ .content = CONTENT_GENERAL,
	    .record_type = 18,
	    .weight = 10,
	    .workload = "SecurityComplianceCenter",
	    .user_type = 2,
	    .operations = "Get-ComplianceTag|New-ComplianceSearch|"
			  "Set-RetentionCompliancePolicy",
	    .object = "$w",
	    .body = ",'StartTime':'$t','ClientRequestId':'$G','CmdletVersion':"
		    "'15.20.$n','EffectiveOrganization':'$o','UserServicePlan'"
		    ":'','ClientApplication':'EMC','Parameters':'-$a \\\"$w\\\""
		    "','NonPIIParameters':'-$a'" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 20,
	    .weight = 8,
	    .workload = "PowerBI",
	    .user_type = 0,
	    .operations = "ViewReport|ExportReport|CreateDashboard",
	    .object = "$w",
	    .body = ",'Activity':'ViewReport','ItemName':'$w','WorkSpaceName':"
		    "'$w','DatasetName':'$w','ReportName':'$w','CapacityId':"
		    "'$g','ReportId':'$g','DistributionMethod':'Workspace',"
		    "'RefreshEnforcementPolicy':$e" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 22,
	    .weight = 5,
	    .workload = "Yammer",
	    .user_type = 0,
	    .operations = "MessageCreation|FileCreated|GroupDeletion",
	    .object = "$w",
	    .body = ",'ActorUserId':'$u','ActorYammerUserId':$b,'FileId':$b,"
		    "'FileName':'$f','GroupName':'$w','IsSoftDelete':$q,"
		    "'MessageId':$b,'YammerNetworkId':$n,'VersionId':$b" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 24,
	    .weight = 5,
	    .workload = "SecurityComplianceCenter",
	    .user_type = 2,
	    .operations = "SearchCreated|SearchExported|CaseAdded",
	    .object = "$w",
	    .body =
		",'Case':'$w','ExtendedProperties':[$<2-8|{'Name':'$a',"
		"'Value':'$z'}$>],'SharepointLocations':'$w','Query':'$L'" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 25,
	    .weight = 30,
	    .workload = "MicrosoftTeams",
	    .user_type = 0,
	    .operations = "MemberAdded|MessageSent|ChatCreated|TeamCreated|"
			  "MeetingParticipantDetail",
	    .object = "$w (19:$x@thread.tacv2)",
	    .body = TEAM ",'ChannelGuid':'19:$x@thread.skype','ChannelName':"
			 "'$w','ChannelType':'Private','Members':[$<1-8|{"
			 "'DisplayName':'$p','Role':$k,'UPN':'$v'}$>],"
			 "'MessageId':'$b','MessageSizeInBytes':$n" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 28,
	    .weight = 8,
	    .workload = "ThreatIntelligence",
	    .user_type = 4,
	    .operations = "TIMailData",
	    .object = "$x",
	    .body = ",'AttachmentData':[$<0-3|{'FileName':'$f','FileType':'pdf'"
		    ",'FileVerdict':1,'MalwareFamily':'HTML\\/Phish.VS!MSR',"
		    "'SHA256':'$h'}$>],'AuthDetails':[{'Name':'SPF','Value':"
		    "'Pass'},{'Name':'DMARC','Value':'Fail'}],'DetectionMethod'"
		    ":'URL malicious reputation','DetectionType':'Inline',"
		    "'InternetMessageId':'$m','NetworkMessageId':'$G',"
		    "'P1Sender':'$v','P2Sender':'$v','Recipients':[$<1-20|'$v'"
		    "$>],'SenderIp':'$i','Subject':'$z','Verdict':'Phish',"
		    "'MessageTime':'$T','EventDeepLink':'https:\\/\\/security."
		    "example\\/?hash=$h','Policy':'SpoofDMARC','PolicyAction':"
		    "'MoveToJMF','BulkComplaintLevel':$e" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 30,
	    .weight = 6,
	    .workload = "MicrosoftFlow",
	    .user_type = 0,
	    .operations = "CreateFlow|EditFlow|DeleteFlow",
	    .object = "$w",
	    .body = ",'FlowConnectorNames':'shared_office365, shared_http',"
		    "'FlowDetailsUrl':'https:\\/\\/make.example\\/$g',"
		    "'LicenseDisplayName':'','RecipientUPN':'$v',"
		    "'SharingPermission':$k,'UserTypeInitiated':$k,'UserUPN':"
		    "'$u'" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 40,
	    .weight = 8,
	    .workload = "SecurityComplianceCenter",
	    .user_type = 4,
	    .operations = "AlertTriggered|AlertEntityGenerated|AlertUpdated",
	    .object = "$g",
	    .body = ",'AlertEntityId':'$v','AlertId':'$G','AlertType':'System',"
		    "'Category':'ThreatManagement','Comments':'New alert',"
		    "'Data':'{\\\"etype\\\":\\\"User\\\",\\\"eid\\\":\\\"$v"
		    "\\\",\\\"tid\\\":\\\"$o\\\",\\\"lon\\\":\\\"$L\\\"}',"
		    "'EntityType':'User','Name':'$z','PolicyId':'$g',"
		    "'Severity':'Low','Source':'Office 365 Security & "
		    "Compliance','Status':'Active'" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 47,
	    .weight = 4,
	    .workload = "ThreatIntelligence",
	    .user_type = 4,
	    .operations = "FileMalwareDetected",
	    .object = FILE_URL,
	    .body = ",'FileData':{'DocumentId':'$g','FileName':'$f','FilePath':"
		    "'$w','FileSize':'$n','FileVerdict':1,'MalwareFamily':'"
		    "TrojanDownloader','SHA256':'$h'},'SourceWorkload':$k,"
		    "'DetectionMethod':'AntiMalware','LastModifiedBy':'$v',"
		    "'LastModifiedDate':'$T','EventDeepLink':'$w'" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 64,
	    .weight = 5,
	    .workload = "AirInvestigation",
	    .user_type = 4,
	    .operations = "AirInvestigationData",
	    .object = "$x",
	    .body = ",'Actions':[$<0-3|'$z'$>],'Data':'{\\\"Version\\\":\\\"3.0"
		    "\\\",\\\"Entities\\\":[\\\"$L\\\",\\\"$L\\\"]}',"
		    "'DeepLinkUrl':'https:\\/\\/security.example\\/$x',"
		    "'EndTimeUtc':'$T','InvestigationId':'urn:$x',"
		    "'InvestigationName':'$w','InvestigationType':'Zapped',"
		    "'StartTimeUtc':'$T','Status':'Remediated'" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 65,
	    .weight = 4,
	    .workload = "Quarantine",
	    .user_type = 2,
	    .operations = "QuarantineReleaseMessage|QuarantinePreviewMessage",
	    .object = "$g",
	    .body = ",'RequestSource':$k,'RequestType':$k,'NetworkMessageId':"
		    "'$g','ReleaseTo':'$v'" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 83,
	    .weight = 6,
	    .workload = "PublicEndpoint",
	    .user_type = 0,
	    .operations = "SensitivityLabelApplied|FileSensitivityLabelChanged",
	    .object = FILE_URL,
	    .body = ",'ActionSource':$k,'Application':'Word','DeviceName':'$w',"
		    "'LabelEventType':$k,'SensitivityLabelEventData':{"
		    "'SensitivityLabelId':'$g','OldSensitivityLabelId':'$g',"
		    "'JustificationText':'$z'},'ProductVersion':'16.0.$n'" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 98,
	    .weight = 4,
	    .workload = "MCAS",
	    .user_type = 4,
	    .operations = "MCASAlert",
	    .object = "$x",
	    .body = ",'AlertId':'$x','AlertUri':'$w','Data':"
		    "'$L','RiskScore':$e" },
	{ .content = CONTENT_GENERAL,
	    .record_type = 261,
	    .weight = 30,
	    .workload = "Copilot",
	    .user_type = 0,
	    .operations = "CopilotInteraction",
	    .object = NULL,
	    .body = AI_CONTEXT },
	{ .content = CONTENT_GENERAL,
	    .record_type = 334,
	    .weight = 5,
	    .workload = "Copilot",
	    .user_type = 0,
	    .operations = "TeamCopilotInteraction",
	    .object = NULL,
	    .body = AI_CONTEXT },

	{ .content = CONTENT_DLP,
	    .record_type = 11,
	    .weight = 30,
	    .workload = "SharePoint",
	    .user_type = 4,
	    .operations = "DlpRuleMatch|DlpRuleUndo|DlpInfo",
	    .object = FILE_URL,
	    .body = "," DLP_POLICY
		    ",'SharePointMetaData':{'DocumentLastModifier':'$p',"
		    "'DocumentSharer':'$p','FileID':'$g','FileName':'$f',"
		    "'FileOwner':'$p','FilePathUrl':'" FILE_URL "','FileSize':"
		    "$n,'From':'$u','IsViewableByExternalUsers':$q,"
		    "'LastModifiedTime':'$T','SiteCollectionGuid':'$g',"
		    "'SiteCollectionUrl':'$w','UniqueID':'$g',"
		    "'itemCreationTime':'$T'}" },
	{ .content = CONTENT_DLP,
	    .record_type = 13,
	    .weight = 30,
	    .workload = "Exchange",
	    .user_type = 4,
	    .operations = "DlpRuleMatch",
	    .object = "$m",
	    .body = ",'ExchangeMetaData':{'BCC':[],'CC':[$<0-4|'$v'$>],'From':"
		    "'$u','MessageID':'$m','RecipientCount':$k,'Sent':'$T',"
		    "'Subject':'$z','To':[$<1-9|'$v'$>],'UniqueID':'$g'}"
		    "," DLP_POLICY },
	{ .content = CONTENT_DLP,
	    .record_type = 63,
	    .weight = 20,
	    .workload = "Endpoint",
	    .user_type = 0,
	    .operations = "FileCopiedToRemovableMedia|FileUploadedToCloud|"
			  "FilePrinted",
	    .object = "C:\\\\Users\\\\$p\\\\$f",
	    .body = ",'Application':'explorer.exe','DeviceName':'$w',"
		    "'EndpointOperation':'FileCopiedToRemovableMedia',"
		    "'EnforcementMode':$k,'FileExtension':'docx','FileSize':$n,"
		    "'FileType':'DOCX','Hidden':$q,'MDATPDeviceId':'$x',"
		    "'OriginatingDomain':'$d','Platform':$k,'Sha1':'$x$x',"
		    "'Sha256':'$h','TargetDomain':'$d'," DLP_POLICY },
};

const size_t n_kinds = sizeof(kinds) / sizeof(kinds[0]);
