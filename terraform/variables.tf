variable "environment" {
  description = "Short name of the environment, part of every resource name: dev, prod, ..."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,15}$", var.environment))
    error_message = "environment must be at most 16 lower-case letters and digits, starting with a letter."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region such as us-east-1."
  }
}

variable "cidr" {
  description = "CIDR block of the network, a /16."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && endswith(var.cidr, "/16")
    error_message = "cidr must be an IPv4 /16, such as 10.40.0.0/16."
  }
}

variable "zones" {
  description = "Letters of at least two availability zones; the streamer runs in the first."
  type        = list(string)
  default     = ["a", "b"]

  validation {
    condition     = length(var.zones) >= 2 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must name at least two different zones."
  }
}

variable "shards" {
  description = "Number of shards per stream (1 MB/s each); 0 selects on-demand mode, which scales by itself at a higher price."
  type        = number
  default     = 0

  validation {
    condition     = var.shards >= 0 && var.shards <= 200 && floor(var.shards) == var.shards
    error_message = "shards must be a whole number from 0 to 200."
  }
}

variable "retention_hours" {
  description = "Hours that the streams retain records, and thus how long Firehose may be unavailable without loss."
  type        = number
  default     = 24

  validation {
    condition     = var.retention_hours >= 24 && var.retention_hours <= 8760
    error_message = "retention_hours must be 24 to 8760."
  }
}

variable "raw_days" {
  description = "Days that raw posts are retained, limited by the networks' rules on deleted posts; null uses resources.json."
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.raw_days, 2) >= 2
    error_message = "raw_days must be at least 2: rankings read the arrivals of the last two days."
  }
}

variable "release" {
  description = "Published version of Postrank that the streamer's host installs until another version is deployed."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+([a-z0-9.]*)$", var.release))
    error_message = "release must be a version such as 0.1.0."
  }
}

variable "streamer_config" {
  description = "Path of main's streamer.toml; null where `collectors` has all configurations."
  type        = string
  default     = null

  validation {
    condition     = var.streamer_config == null ? true : fileexists(var.streamer_config)
    error_message = "streamer_config must be the path of a file, relative to this folder."
  }
}

variable "collectors" {
  description = "Collectors by name, as `postrank collectors tfvars` writes them: the kind of the source, the host's streamer.toml, and where they differ from the environment's the instance type, the size of the state volume and more tags."
  type = map(object({
    source        = string
    config        = string
    instance_type = optional(string)
    state_gib     = optional(number)
    instance_tags = optional(map(string), {})
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.collectors) : can(regex("^[a-z0-9]+(-[a-z0-9]+)*$", name)) && length(name) <= 24])
    error_message = "Names of collectors must be lower-case letters and digits, in words separated by single hyphens, at most 24 characters."
  }
  validation {
    condition     = !contains(keys(var.collectors), "main") || var.streamer_config == null
    error_message = "main is configured twice: set streamer_config to null, or leave main out of collectors."
  }
  validation {
    condition     = length(var.collectors) > 0 || var.streamer_config != null
    error_message = "There is no collector: set streamer_config, or collectors (postrank collectors tfvars)."
  }
}

variable "instance_type" {
  description = "Instance type of the streamer (arm64)."
  type        = string
  default     = "t4g.small"

  validation {
    condition     = can(regex("^[a-z]+[0-9]+g[a-z]*\\.", var.instance_type))
    error_message = "instance_type must be an arm64 (Graviton) type such as t4g.small."
  }
}

variable "image_id" {
  description = "AMI of the streamer; null selects the newest Amazon Linux 2023."
  type        = string
  default     = null

  validation {
    condition     = var.image_id == null ? true : can(regex("^ami-[0-9a-f]{8,17}$", var.image_id))
    error_message = "image_id must be an AMI ID such as ami-0123456789abcdef0."
  }
}

variable "instance_tags" {
  description = "Additional tags of the streamer's instance."
  type        = map(string)
  default     = {}
}

variable "state_gib" {
  description = "Size of the streamer's state volume in GiB: the spool (1 GiB by default), the journal and spare space."
  type        = number
  default     = 8

  validation {
    condition     = var.state_gib >= 4
    error_message = "state_gib must be at least 4."
  }
}

variable "warehouse_class" {
  description = "Instance class of the Postgres database for exported rankings, such as db.t4g.micro; null creates none."
  type        = string
  default     = null

  validation {
    condition     = var.warehouse_class == null ? true : can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.warehouse_class))
    error_message = "warehouse_class must be an RDS instance class such as db.t4g.micro."
  }
}

variable "warehouse_version" {
  description = "Major version of Postgres."
  type        = string
  default     = "17"
}

variable "images" {
  description = "Digests of images by name (airflow, app, spark, streamer), as the workflow Images writes them. They come before image_digest and image_tag."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for image, digest in var.images : contains(["airflow", "app", "spark", "streamer"], image) && can(regex("^sha256:[0-9a-f]{64}$", digest))])
    error_message = "images must be digests (sha256: and 64 hexadecimal digits) of airflow, app, spark or streamer."
  }
}

variable "app" {
  description = <<-TEXT
    The app on ECS Fargate behind an internal load balancer; null creates none. `image_tag` of its registry
    (unless `images` has its digest), `certificate_arn` of ACM for `host`, the name that people open, and the networks (CIDR blocks) that may reach it besides the VPC. `live`
    runs `postrank live` too.
  TEXT
  type = object({
    image_tag       = optional(string)
    host            = string
    certificate_arn = string
    cidrs           = optional(list(string), [])
    cpu             = optional(number, 512)
    memory          = optional(number, 1024)
    live            = optional(bool, true)
  })
  default = null

  validation {
    condition     = var.app == null || var.warehouse_class != null
    error_message = "The app reads the warehouse: set warehouse_class too."
  }

  validation {
    condition     = var.app == null ? true : var.app.image_tag != null || contains(keys(var.images), "app")
    error_message = "The app needs an image: set app.image_tag, or its digest in images."
  }

  validation {
    condition     = var.app == null ? true : alltrue([for cidr in var.app.cidrs : can(cidrnetmask(cidr)) && cidr != "0.0.0.0/0"])
    error_message = "app.cidrs must be IPv4 networks; the app has no login of its own, so that 0.0.0.0/0 is rejected."
  }

  validation {
    condition     = var.app == null ? true : startswith(var.app.certificate_arn, "arn:aws:acm:")
    error_message = "app.certificate_arn must be the ARN of a certificate in ACM."
  }
}

variable "spark" {
  description = "EMR Serverless application of the Spark job that counts windows of the stream, and whether to create an MSK Serverless cluster; null creates neither."
  type        = object({ max_vcpus = optional(number, 16), kafka = optional(bool, false) })
  default     = null
}

variable "protected" {
  description = "Whether to protect data from terraform destroy: buckets must be empty, and the database cannot be deleted."
  type        = bool
  default     = true
}

variable "require_tls" {
  description = "Whether the buckets reject plain HTTP. Set to false only for an endpoint on loopback."
  type        = bool
  default     = true
}

variable "alarm_emails" {
  description = "Mail addresses for alarms and budget notifications; each has to confirm once."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "alarm_emails must be addresses such as data-team@example.com."
  }
}

variable "daily_scan_gib" {
  description = "GiB that Athena may scan per day before an alarm."
  type        = number
  default     = 500

  validation {
    condition     = var.daily_scan_gib > 0
    error_message = "daily_scan_gib must be positive."
  }
}

variable "monthly_usd" {
  description = "Monthly budget in US dollars; null creates none."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_usd == null ? true : var.monthly_usd > 0
    error_message = "monthly_usd must be positive."
  }
}

variable "interface_endpoints" {
  description = "AWS services with an interface endpoint, by the last part of the endpoint's name; each is billed per hour and zone."
  type        = set(string)
  default     = ["kinesis-streams"]

  validation {
    condition     = alltrue([for service in var.interface_endpoints : can(regex("^[a-z0-9]+([.-][a-z0-9]+)*$", service))])
    error_message = "interface_endpoints must be names such as kinesis-streams, without com.amazonaws and region."
  }
}

variable "mwaa" {
  description = "Amazon MWAA environment, created from the release that `postrank deploy dags --mwaa` activates; null if Airflow runs elsewhere."
  type = object({
    version     = string
    class       = optional(string, "mw1.small")
    max_workers = optional(number, 2)
    log_level   = optional(string, "WARNING")
  })
  default = null

  validation {
    condition     = var.mwaa == null ? true : can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", var.mwaa.version))
    error_message = "mwaa.version must be an Airflow version that MWAA offers, such as 3.2.1."
  }
  validation {
    condition     = var.mwaa == null ? true : can(regex("^mw1\\.(micro|small|medium|large|xlarge|2xlarge)$", var.mwaa.class))
    error_message = "mwaa.class must be an environment class such as mw1.small."
  }
  validation {
    condition     = var.mwaa == null ? true : var.mwaa.max_workers >= 1 && var.mwaa.max_workers <= 25
    error_message = "mwaa.max_workers must be 1 to 25."
  }
  validation {
    condition     = var.mwaa == null ? true : contains(["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"], var.mwaa.log_level)
    error_message = "mwaa.log_level must be CRITICAL, ERROR, WARNING, INFO or DEBUG."
  }
}

variable "airflow_ecs" {
  description = <<-TEXT
    Airflow on ECS Fargate, an alternative to MWAA; null creates none. `image_digest` of Airflow's registry (sha256:..., unless `images` has it),
    `parallelism` (tasks at a time), CPU units and MiB of the `scheduler`, which runs them, and the database's class and
    version. `sign_in`: an internal load balancer for `host`, with a certificate of ACM and the endpoints of an OpenID Connect
    provider; without it people use Session Manager.
  TEXT
  type = object({
    image_digest     = optional(string)
    parallelism      = optional(number, 8)
    scheduler        = optional(object({ cpu = number, memory = number }), { cpu = 1024, memory = 4096 })
    database_class   = optional(string, "db.t4g.micro")
    database_version = optional(string, "17")
    sign_in = optional(object({
      host                   = string
      certificate_arn        = string
      cidrs                  = optional(list(string), [])
      issuer                 = string
      authorization_endpoint = string
      token_endpoint         = string
      user_info_endpoint     = string
      client_id              = string
    }))
  })
  default = null

  validation {
    condition     = var.airflow_ecs == null || var.mwaa == null
    error_message = "Airflow runs on MWAA or on ECS: set mwaa or airflow_ecs, not both."
  }
  validation {
    condition     = var.airflow_ecs == null ? true : can(regex("^sha256:[0-9a-f]{64}$", try(var.images["airflow"], var.airflow_ecs.image_digest)))
    error_message = "airflow_ecs.image_digest must be the digest of an image, sha256: and 64 hexadecimal digits; a tag could come to mean another image."
  }
  validation {
    condition     = var.airflow_ecs == null ? true : var.airflow_ecs.parallelism >= 1 && var.airflow_ecs.parallelism <= 64
    error_message = "airflow_ecs.parallelism must be 1 to 64."
  }
  validation {
    condition     = var.airflow_ecs == null ? true : var.airflow_ecs.scheduler.memory >= 1024 + 256 * var.airflow_ecs.parallelism
    error_message = "airflow_ecs.scheduler.memory must be at least 1,024 MiB and 256 MiB for each task at a time (parallelism)."
  }
  validation {
    condition     = try(var.airflow_ecs.sign_in, null) == null ? true : startswith(var.airflow_ecs.sign_in.certificate_arn, "arn:aws:acm:")
    error_message = "airflow_ecs.sign_in.certificate_arn must be the ARN of a certificate in ACM."
  }
  validation {
    condition = try(var.airflow_ecs.sign_in, null) == null ? true : alltrue([
      for endpoint in ["issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint"] :
      startswith(var.airflow_ecs.sign_in[endpoint], "https://")
    ])
    error_message = "The issuer and endpoints of airflow_ecs.sign_in must be https:// URLs, as the provider's openid-configuration lists them."
  }
  validation {
    condition     = try(var.airflow_ecs.sign_in, null) == null ? true : alltrue([for cidr in var.airflow_ecs.sign_in.cidrs : can(cidrnetmask(cidr)) && cidr != "0.0.0.0/0"])
    error_message = "airflow_ecs.sign_in.cidrs must be IPv4 networks; the load balancer is internal, so that 0.0.0.0/0 is rejected."
  }
}

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of every role; bootstrap/ makes one, which its deploy role insists on. Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^arn:aws:iam::([0-9]{12}|aws):policy/", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of a managed policy."
  }
}
